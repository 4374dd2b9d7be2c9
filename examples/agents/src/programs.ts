import { access, constants } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Program } from "./protocol.js";

/**
 * The allow-list of all programs that can ever run. A client names a program and picks from the
 * choices of the program's options. A choice selects arguments from this table and never becomes an
 * argument itself, so no string from a client reaches a command line.
 */
interface Entry {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly runs: { readonly script: string } | { readonly tool: string; readonly arguments: readonly string[] };
  readonly options: readonly {
    readonly name: string;
    readonly default: string;
    readonly choices: ReadonlyMap<string, readonly string[]>;
  }[];
  /** Tools whose flags differ between systems are offered only on the named platform. */
  readonly platform?: NodeJS.Platform;
}

const entries: readonly Entry[] = [
  {
    id: "primes",
    title: "Prime search",
    description: "Searches for primes without end, in bursts.",
    runs: { script: "primes.mjs" },
    options: [choice("pace", "gentle", { gentle: ["--busy=15"], steady: ["--busy=45"], eager: ["--busy=90"] })],
  },
  {
    id: "hash-files",
    title: "File hasher",
    description: "Hashes every file of the project and finds duplicates.",
    runs: { script: "hash-files.mjs" },
    options: [
      choice("algorithm", "sha256", {
        sha256: ["--algorithm=sha256"],
        sha512: ["--algorithm=sha512"],
        blake2b: ["--algorithm=blake2b512"],
      }),
    ],
  },
  {
    id: "count-words",
    title: "Word count",
    description: "Counts lines and words across the project's sources.",
    runs: { script: "count-words.mjs" },
    options: [],
  },
  {
    id: "walk-imports",
    title: "Import walker",
    description: "Follows the imports between the project's modules.",
    runs: { script: "walk-imports.mjs" },
    options: [],
  },
  {
    id: "check-links",
    title: "Link checker",
    description: "Follows links between Markdown files; fails if one is broken.",
    runs: { script: "check-links.mjs" },
    options: [],
  },
  {
    id: "watch-host",
    title: "Core watcher",
    description: "Draws the load of each core of this machine.",
    runs: { script: "watch-host.mjs" },
    options: [choice("every", "1s", { "1s": ["--every=1000"], "250ms": ["--every=250"] })],
  },
  {
    id: "vmstat",
    title: "vmstat",
    description: "The system's statistics on memory, disk and CPU.",
    runs: { tool: "vmstat", arguments: ["-n", "1"] },
    options: [],
    platform: "linux",
  },
  {
    id: "ps",
    title: "ps",
    description: "Lists this machine's processes, busiest first.",
    runs: { tool: "ps", arguments: ["-eo", "pid,pcpu,rss,comm", "--sort=-pcpu"] },
    options: [],
    platform: "linux",
  },
];

/** A program with the chosen options: everything that is needed to start a process. */
export interface Launch {
  readonly program: string;
  readonly options: Record<string, string>;
  readonly command: string;
  readonly arguments: readonly string[];
}

type Choice =
  | { readonly ok: true; readonly launch: Launch }
  | {
      readonly ok: false;
      readonly code: "UNKNOWN_PROGRAM";
      readonly message: string;
      readonly data: { program: string; known: string[] };
    }
  | {
      readonly ok: false;
      readonly code: "UNKNOWN_CHOICE";
      readonly message: string;
      readonly data: { option: string; choice: string; allowed: string[] };
    };

export interface Programs {
  readonly list: readonly Program[];
  choose(program: string, options?: Readonly<Record<string, string>>): Choice;
}

// This path is right in src/ and in the bundle in dist/.
const scripts = fileURLToPath(new URL("../programs/", import.meta.url));

/**
 * Reads the allow-list for this machine. A system tool is offered only if it is in one of the
 * folders of `path`.
 */
export async function findPrograms(path: string): Promise<Programs> {
  const available = new Map<string, { entry: Entry; command: string; fixed: readonly string[] }>();
  for (const entry of entries) {
    if (entry.platform !== undefined && entry.platform !== process.platform) continue;
    if ("script" in entry.runs) {
      // 128 MB are enough for each program, and many agents may run at once.
      const fixed = ["--max-old-space-size=128", join(scripts, entry.runs.script)];
      available.set(entry.id, { entry, command: process.execPath, fixed });
    } else {
      const command = await findTool(entry.runs.tool, path);
      if (command !== undefined) available.set(entry.id, { entry, command, fixed: entry.runs.arguments });
    }
  }

  return {
    list: [...available.values()].map(({ entry }) => ({
      id: entry.id,
      title: entry.title,
      description: entry.description,
      options: entry.options.map(({ name, choices, default: standard }) => ({
        name,
        choices: [...choices.keys()],
        default: standard,
      })),
    })),

    choose(program, wanted = {}) {
      const found = available.get(program);
      if (!found) return unknownProgram(program, [...available.keys()]);
      const open = new Map(Object.entries(wanted));
      const options: Record<string, string> = {};
      const chosen = [...found.fixed];
      for (const option of found.entry.options) {
        const name = open.get(option.name) ?? option.default;
        open.delete(option.name);
        const selected = option.choices.get(name);
        if (!selected) return unknownChoice(option.name, name, [...option.choices.keys()]);
        options[option.name] = name;
        chosen.push(...selected);
      }
      for (const [option, name] of open) return unknownChoice(option, name, []);
      return { ok: true, launch: { program, options, command: found.command, arguments: chosen } };
    },
  };
}

function choice(name: string, standard: string, choices: Record<string, readonly string[]>): Entry["options"][number] {
  return { name, default: standard, choices: new Map(Object.entries(choices)) };
}

function unknownProgram(program: string, known: string[]): Choice {
  const message = `There is no program ${JSON.stringify(program)}; there are ${known.join(", ")}.`;
  return { ok: false, code: "UNKNOWN_PROGRAM", message, data: { program, known } };
}

function unknownChoice(option: string, made: string, allowed: string[]): Choice {
  const expected = allowed.length > 0 ? `expected ${allowed.join(", ")}` : "the program has no such option";
  const message = `${JSON.stringify(made)} cannot be chosen for ${JSON.stringify(option)}: ${expected}.`;
  return { ok: false, code: "UNKNOWN_CHOICE", message, data: { option, choice: made, allowed } };
}

async function findTool(tool: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    // With a relative folder in PATH, the program would depend on the folder in which the server
    // was started.
    if (!isAbsolute(folder)) continue;
    const candidate = join(folder, tool);
    const runs = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return candidate;
  }
  return undefined;
}
