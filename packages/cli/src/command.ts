import { parseArgs } from "node:util";
import { HoldfastError, isHoldfastError } from "@holdfast/protocol";
import { compareFiles, writeFiles } from "./docs/files.js";
import { protocolFiles } from "./docs/index.js";
import { loadProtocol } from "./load-protocol.js";

/** The output of the command. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
}

const usage = `holdfast docs <protocol.ts> --out <folder> [options]

Writes the reference of a protocol: protocol.md, index.html (self-contained), asyncapi.json and schemas/.

  --out <folder>     where to write
  --export <name>    the export to use if the file has several protocols
  --server <url>     the server's address in the examples; default ws://localhost:3000/ws
  --check            write nothing; if files are out of date, list the files and exit with 1
  --help             this text
`;

/**
 * Runs the command line and returns the exit code: 0 if it succeeded, 1 if files are out of date or
 * the protocol is invalid, 2 if the arguments are invalid.
 */
export async function run(argv: readonly string[], terminal: Terminal): Promise<0 | 1 | 2> {
  try {
    return await docs(argv, terminal);
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
    terminal.err(`holdfast: ${error.message}\n${error.remedy ? `${error.remedy}\n` : ""}`);
    return error.code === "INVALID_OPTION" ? 2 : 1;
  }
}

async function docs(argv: readonly string[], terminal: Terminal): Promise<0 | 1> {
  const { values, positionals } = parse(argv);
  if (values.help || positionals.length === 0) {
    terminal.out(usage);
    return 0;
  }
  const [command, path, ...rest] = positionals;
  if (command !== "docs")
    throw wrong(`"${command}": unknown command`, "Run: holdfast docs <protocol.ts> --out <folder>");
  if (path === undefined || rest.length > 0)
    throw wrong(
      "expected exactly one protocol file",
      "Pass one file, for example: holdfast docs src/protocol.ts --out docs/protocol",
    );
  const { out } = values;
  if (out === undefined) throw wrong("--out is missing", "Pass the output folder, for example: --out docs/protocol");

  const protocol = await loadProtocol(path, values.export);
  const files = protocolFiles(protocol, values.server === undefined ? {} : { server: serverAddress(values.server) });
  if (!values.check) {
    const { written, removed } = writeFiles(out, files);
    terminal.out(
      `${protocol.name} ${protocol.version}: ${files.size} files in ${out}, ${written.length} changed, ${removed.length} removed\n`,
    );
    return 0;
  }
  const { missing, changed, extra } = compareFiles(out, files);
  const lines = [
    ...missing.map((name) => `  missing  ${name}`),
    ...changed.map((name) => `  changed  ${name}`),
    ...extra.map((name) => `  extra    ${name}`),
  ];
  if (lines.length === 0) {
    terminal.out(`${protocol.name} ${protocol.version}: ${files.size} files in ${out}, all up to date\n`);
    return 0;
  }
  const again = argv.filter((argument) => argument !== "--check").join(" ");
  terminal.err(`holdfast: ${out} is out of date:\n${lines.join("\n")}\nRun: npx holdfast ${again}\n`);
  return 1;
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        out: { type: "string" },
        export: { type: "string" },
        server: { type: "string" },
        check: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw wrong(
      (error as Error).message.split(/\. |\n/, 1)[0]?.replace(/\.$/, "") ?? "invalid options",
      "Run holdfast --help for the options",
    );
  }
}

function serverAddress(address: string): string {
  if (URL.canParse(address) && ["ws:", "wss:"].includes(new URL(address).protocol)) return address;
  throw wrong(
    `--server ${address} is not a WebSocket address`,
    "Pass an address that begins with ws:// or wss://, for example: --server wss://example.com/ws",
  );
}

function wrong(sentence: string, remedy: string): HoldfastError {
  return new HoldfastError("INVALID_OPTION", `${sentence}.`, { remedy });
}
