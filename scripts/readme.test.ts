import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test, vi } from "vitest";

const root = new URL("..", import.meta.url);
const read = (path: string): Promise<string> => readFile(new URL(path, root), "utf8");
const names = ["protocol", "server", "client"] as const;

/** Returns a free port. The test replaces the fixed port in the snippets with this port. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

afterEach(() => vi.restoreAllMocks());

describe("the README", () => {
  test.each(names)("[DO1] the README and the package's README contain docs/snippets/%s.ts unchanged", async (name) => {
    const snippet = await read(`docs/snippets/${name}.ts`);
    for (const readme of ["README.md", `packages/${name}/README.md`])
      expect(await read(readme)).toContain(`\`\`\`ts\n// ${name}.ts\n${snippet}\`\`\``);
  });

  test("[DO1] the client's README contains docs/snippets/headlines.ts unchanged", async () => {
    const snippet = await read("docs/snippets/headlines.ts");
    expect(await read("packages/client/README.md")).toContain(`\`\`\`ts\n// headlines.ts\n${snippet}\`\`\``);
  });

  test("[DO2] the README's program runs unchanged except for its port: it connects, subscribes, sends a request and receives an event", async () => {
    const folder = new URL(`.artifacts/readme-${process.pid}/`, root);
    await mkdir(folder, { recursive: true });
    const port = String(await freePort());
    for (const name of names) {
      const code = (await read(`docs/snippets/${name}.ts`)).replaceAll("3000", port);
      await writeFile(new URL(`${name}.ts`, folder), code);
    }
    const lines: string[] = [];
    vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
    const load = (name: string): Promise<Record<string, { close(): Promise<void>; disconnect(): void }>> =>
      import(fileURLToPath(new URL(`${name}.ts`, folder))) as never;
    const { server } = await load("server");
    const { client } = await load("client");
    client!.disconnect();
    await server!.close();
    await rm(folder, { recursive: true });
    expect(lines).toEqual([
      `Listening at ws://localhost:${port}/ws`,
      "connecting",
      "authenticating",
      "ready",
      "a1 is running",
      expect.stringMatching(/^started at 20/),
      "closed",
    ]);
  });
});
