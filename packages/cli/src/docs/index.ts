import { type Protocol, PROTOCOL_VERSION } from "@holdfast/protocol";
import type { JsonSchema } from "@holdfast/protocol/describe";
import { documentProtocol } from "./application.js";
import { applicationReference } from "./application-reference.js";
import { applicationAsyncApi, wireAsyncApi } from "./asyncapi.js";
import type { Files } from "./files.js";
import { html } from "./html.js";
import { markdown } from "./markdown.js";
import type { Reference } from "./reference.js";
import { applicationSchemaFiles, wireSchemaFiles } from "./schema-files.js";
import { wireReference } from "./wire-reference.js";

export { compareFiles, type Drift, type Files, writeFiles } from "./files.js";

export interface DocsOptions {
  /**
   * The server's address in examples and documents. It begins with `ws:` or `wss:`. @default
   * "ws://localhost:3000/ws"
   */
  readonly server?: string;
}

/**
 * The reference of an application's protocol: `protocol.md`, `index.html`, `asyncapi.json` and
 * `schemas/`. The same protocol always gives the same files.
 *
 * @throws HoldfastError INVALID_PROTOCOL if an example does not match its schema
 */
export function protocolFiles(protocol: Protocol, options: DocsOptions = {}): Files {
  const { server = "ws://localhost:3000/ws" } = options;
  const application = documentProtocol(protocol);
  return assemble(
    applicationReference(protocol, application, server),
    applicationAsyncApi(application, server),
    new Map([...wireSchemaFiles(), ...applicationSchemaFiles(application)]),
  );
}

/** The reference of the wire protocol, independent of any application. */
export function wireFiles(): Files {
  const reference = wireReference();
  const head = {
    title: "Holdfast",
    version: `${PROTOCOL_VERSION}.0.0`,
    description: "The wire between clients and servers of Holdfast: every message, whatever the application.",
  };
  return assemble(reference, wireAsyncApi(head, "ws://localhost:3000/ws"), wireSchemaFiles());
}

function assemble(reference: Reference, asyncApi: unknown, schemas: ReadonlyMap<string, JsonSchema>): Files {
  return new Map([
    ["protocol.md", markdown(reference)],
    ["index.html", html(reference)],
    ["asyncapi.json", json(asyncApi)],
    ...[...schemas].map(([path, schema]): [string, string] => [`schemas/${path}`, json(schema)]),
  ]);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
