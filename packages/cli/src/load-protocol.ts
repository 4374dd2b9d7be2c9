import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { createJiti } from "jiti";
import { HoldfastError, isHoldfastError, isProtocol, type Protocol } from "@holdfast/protocol";

/**
 * Loads the protocol that a TypeScript or JavaScript file exports, found by its brand: whichever
 * copy of this package the file imports.
 *
 * @param path as it was given, below the current folder
 * @param name the export to take, where there are several
 * @throws HoldfastError with a remedy: no such file, it cannot be loaded, no protocol in it, or
 *   several
 */
export async function loadProtocol(path: string, name: string | undefined): Promise<Protocol> {
  const file = resolve(path);
  if (!existsSync(file))
    throw wrong(
      `There is no file ${path}`,
      `Give the path of the file that calls defineProtocol; this is ${process.cwd()}.`,
    );
  const found = protocolsIn(await evaluate(file, path));
  if (name !== undefined) {
    const protocol = found.get(name);
    if (protocol) return protocol;
    throw wrong(`${path} exports no protocol named ${name}`, remedyFor(found, path));
  }
  const [first, ...others] = new Set(found.values());
  if (!first)
    throw wrong(
      `${path} exports no protocol`,
      "Export what defineProtocol returns: export const agents = defineProtocol({ … })",
    );
  if (others.length > 0)
    throw wrong(`${path} exports several protocols: ${[...found.keys()].join(", ")}`, remedyFor(found, path));
  return first;
}

async function evaluate(file: string, path: string): Promise<object> {
  try {
    // Not cached: a reference is made from what the file says now, not from what it said when it
    // was last compiled.
    const jiti = createJiti(pathToFileURL(file).href, { fsCache: false, moduleCache: false });
    return await jiti.import<object>(file);
  } catch (error) {
    if (isHoldfastError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new HoldfastError(
      "INVALID_PROTOCOL",
      `${relative(process.cwd(), file) || path} cannot be loaded: ${reason}`,
      {
        remedy: "Run it by itself first. It should define the protocol and nothing else.",
        cause: error,
      },
    );
  }
}

function protocolsIn(exports: object): Map<string, Protocol> {
  const entries = Object.entries(exports).filter((entry): entry is [string, Protocol] => isProtocol(entry[1]));
  return new Map(entries);
}

function remedyFor(found: ReadonlyMap<string, Protocol>, path: string): string {
  const names = [...found.keys()];
  return names.length > 0
    ? `Choose one: --export ${names.join(" or --export ")}`
    : `Export one from ${path}: export const agents = defineProtocol({ … })`;
}

function wrong(sentence: string, remedy: string): HoldfastError {
  return new HoldfastError("INVALID_OPTION", `${sentence}.`, { remedy });
}
