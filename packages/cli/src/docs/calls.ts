import type {
  Application,
  DocumentedChannel,
  DocumentedEvent,
  DocumentedRequest,
  DocumentedValue,
} from "./application.js";
import { literal } from "./literal.js";
import { type Block, source } from "./reference.js";
import { synthesize } from "./synthesize.js";
import { declaration, typeDeclaration, typeText } from "./type-text.js";

/**
 * The calls of the typed API that use one part of a protocol, with arguments made from its schemas.
 * calls.test.ts compiles all of them against the packages.
 */

/** The variable that holds the protocol: the protocol's name in camel case. */
export function variableOf(protocol: string): string {
  const name = protocol.replace(/[^A-Za-z0-9]+(.)?/g, (_, letter: string | undefined) => letter?.toUpperCase() ?? "");
  return /^[A-Za-z]/.test(name) && !RESERVED.has(name) ? name : `${name.replace(/^\d+/, "")}Protocol`;
}

/** Names that the shown calls use, and words that cannot name a variable. */
const RESERVED = new Set(
  "client server channel createClient input output error data document presence value new delete default class function import export in with var let const enum switch case return this null true false void typeof try catch throw if else for while do".split(
    " ",
  ),
);

/** Makes the client for all other calls, and imports the functions of these calls. */
export function setUpCall({ name: protocol, parameters, requests, channels }: Application, url: string): Block {
  const imports = [
    "createClient",
    ...(channels.some(({ state }) => state) ? ["documentOf"] : []),
    ...(requests.some(({ errors }) => errors.length > 0) ? ["isDeclaredError"] : []),
    ...(channels.some(({ presence }) => presence) ? ["presenceOf"] : []),
  ];
  const name = variableOf(protocol);
  const lines = [`  url: ${JSON.stringify(url)},`];
  if (parameters) lines.push(`  parameters: ${literal(synthesize(parameters.schema), 14, "  ")},`);
  return source(
    "Client",
    `import { ${imports.join(", ")} } from "@holdfast/client";
import { ${name} } from "./protocol.js";

const client = createClient(${name}, {
${lines.join("\n")}
});`,
  );
}

export function requestCalls(protocol: string, { name, input, output, errors }: DocumentedRequest): Block[] {
  const quoted = JSON.stringify(name);
  const start = output ? "const output: Output = " : "";
  const call = `await client.request(${quoted}`;
  const request = `${start}${call}${input ? `, ${argument(input, `${start}${call}, `)}` : ""});`;
  const used = [...(input ? ["input"] : []), ...(errors.length > 0 ? ["error"] : [])];
  const context = used.length > 0 ? `{ ${used.join(", ")} }` : "";
  const refusals = errors.map(({ code, value }) => {
    const begin = `  // throw error(${JSON.stringify(code)}, `;
    return `${begin}${literalLine(value)});\n`;
  });
  const result = output ? `  return ${literal(synthesize(output.schema), 9, "  ")};\n` : "";
  const handler = input ? `  console.log(input);\n` : "";
  const body = `${handler}${refusals.join("")}${result}`;
  return [
    source("Client", errors.length > 0 ? withErrors(protocol, quoted, request, errors) : request),
    source("Server", `server.handle(${quoted}, async (${context}) => {${body ? `\n${body}` : ""}});`),
    ...types([
      input && typeDeclaration("Input", input.schema, "sent"),
      output && typeDeclaration("Output", output.schema, "received"),
      errors.length > 0 &&
        declaration(
          "Errors",
          `{ ${errors.map(({ code, value }) => `${code}: ${typeText("unknown", value.schema, "received")}`).join("; ")} }`,
        ),
    ]),
  ];
}

function withErrors(protocol: string, request: string, call: string, errors: DocumentedRequest["errors"]): string {
  const cases = errors.map(({ code }) => {
    const data = `Errors[${JSON.stringify(code)}]`;
    return `  if (error.code === ${JSON.stringify(code)}) {\n    const data: ${data} = error.data;\n    console.log(data);\n  }\n`;
  });
  return `try {
${call.replace(/^/gm, "  ")}
} catch (error) {
  if (!isDeclaredError(${variableOf(protocol)}, ${request}, error)) throw error;
${cases.join("")}}`;
}

/** `client.channel("board", "7c1f")`, of the client or the server. */
function handle(side: "client" | "server", { name, key }: DocumentedChannel): string {
  return `${side}.channel(${JSON.stringify(name)}${key ? `, ${literalLine(key)}` : ""})`;
}

export function channelCall(channel: DocumentedChannel): Block {
  const reset = channel.history
    ? "\nchannel.onReset(({ reason }) => console.log(`Events are missing (${reason}): reload the data.`));"
    : "";
  return source("Client", `const channel = ${handle("client", channel)};${reset}\nawait channel.join();`);
}

export function eventCalls(channel: DocumentedChannel, { name, value }: DocumentedEvent): Block[] {
  const quoted = JSON.stringify(name);
  const publish = `await ${handle("server", channel)}.publish(${quoted}, `;
  return [
    source("Client", `${handle("client", channel)}.on(${quoted}, (data: Data) => console.log(data));`),
    source("Server", `${publish}${argument(value, publish)});`),
    ...types([typeDeclaration("Data", value.schema, "received")]),
  ];
}

export function documentCalls(channel: DocumentedChannel, value: DocumentedValue): Block[] {
  const set = `await ${handle("server", channel)}.document.set(`;
  return [
    source(
      "Client",
      `const document = documentOf(${handle("client", channel)});\ndocument.subscribe((value) => console.log(value));`,
    ),
    source("Server", `${set}${argument(value, set)});`),
    ...types([typeDeclaration("Document", value.schema, "received")]),
  ];
}

export function presenceCalls(channel: DocumentedChannel, value: DocumentedValue): Block[] {
  return [
    source(
      "Client",
      `const presence = presenceOf(${handle("client", channel)});
presence.subscribe(({ users }) => console.log(users));
presence.set(${argument(value, "presence.set(")});`,
    ),
    source("Server", `const users = await ${handle("server", channel)}.presence.list();`),
    ...types([typeDeclaration("Data", value.schema, "received")]),
  ];
}

export function directCalls({ name, value }: DocumentedEvent): Block[] {
  const quoted = JSON.stringify(name);
  const send = `await server.user("u1").send(${quoted}, `;
  const broadcast = `await server.broadcast(${quoted}, `;
  return [
    source("Client", `client.direct.on(${quoted}, (data: Data) => console.log(data));`),
    source("Server", `${send}${argument(value, send)});\n${broadcast}${argument(value, broadcast)});`),
    ...types([typeDeclaration("Data", value.schema, "received")]),
  ];
}

function argument({ schema }: DocumentedValue, before: string): string {
  return literal(synthesize(schema), before.length + 2);
}

function literalLine({ schema }: DocumentedValue): string {
  return literal(synthesize(schema), Number.NEGATIVE_INFINITY);
}

function types(declarations: readonly (string | false | undefined)[]): Block[] {
  const text = declarations.filter(Boolean).join("\n");
  return text ? [source("Types", text)] : [];
}
