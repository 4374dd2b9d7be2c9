import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { createJiti } from "jiti";
import { HoldfastError, isHoldfastError, isProtocol, type Protocol } from "@holdfast/protocol";

/**
 * Loads the protocol that a TypeScript or JavaScript file exports. The protocol is recognised by
 * its brand, so the file may import another copy of this package.
 *
 * @param path the path as given, relative to the current folder
 * @param name the export to use if the file has several
 * @throws HoldfastError if the file does not exist or cannot be loaded, or if it exports no
 *   protocol or several
 */
export async function loadProtocol(path: string, name: string | undefined): Promise<Protocol> {
  const file = resolve(path);
  if (!existsSync(file))
    throw wrong(
      `${path}: file not found`,
      `Pass the path of the file that calls defineProtocol. The current folder is ${process.cwd()}.`,
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
    // Without caches, so that the reference is made from the current content of the file.
    const jiti = createJiti(pathToFileURL(file).href, { fsCache: false, moduleCache: false });
    return await jiti.import<object>(file);
  } catch (error) {
    if (isHoldfastError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new HoldfastError(
      "INVALID_PROTOCOL",
      `${relative(process.cwd(), file) || path} cannot be loaded: ${reason}`,
      {
        remedy: "Run the file by itself and correct the error. The file should only define the protocol.",
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
