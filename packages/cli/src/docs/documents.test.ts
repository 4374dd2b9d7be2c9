import { Parser } from "@asyncapi/parser";
import * as full from "zod";
import { describe, expect, test } from "vitest";
import { everything } from "../../test/everything.js";
import { defineProtocol } from "@holdfast/protocol";
import { resetReasons, wireMessages } from "@holdfast/protocol/wire";
import { fieldNotes } from "./field-notes.js";
import { protocolFiles, wireFiles } from "./index.js";

const app = protocolFiles(everything, { server: "wss://example.com/live" });
const wire = wireFiles();
const documents = [
  ["an application", app],
  ["the wire", wire],
] as const;

interface AsyncApi {
  asyncapi: string;
  info: { title: string; version: string };
  servers: { main: { host: string; protocol: string; security: { $ref: string }[] } };
  channels: {
    connection: {
      address: string;
      bindings: { ws: { bindingVersion: string; query?: { properties: object; required: string[] } } };
    };
  };
  operations: {
    [id: string]: { action: string; messages: { $ref: string }[]; reply?: { messages: { $ref: string }[] } };
  };
  components: {
    messages: { [id: string]: { name: string; payload: { $ref: string }; examples: { payload: unknown }[] } };
    schemas: { [id: string]: { properties?: { [field: string]: { const?: unknown } } } };
    correlationIds: { correlation_id: { location: string } };
    securitySchemes: { [name: string]: { type: string; in?: string } };
  };
}
const asyncapi = (files: ReadonlyMap<string, string>) => JSON.parse(files.get("asyncapi.json")!) as AsyncApi;

describe("asyncapi.json", () => {
  test.each(documents)(
    "[DC7] of %s is valid AsyncAPI 3.1 without a single finding",
    async (_name, files) => {
      const { document, diagnostics } = await new Parser().parse(files.get("asyncapi.json")!);
      expect(diagnostics.map(({ code, message, path }) => `${code} ${path.join(".")}: ${message}`)).toEqual([]);
      expect(document?.version()).toBe("3.1.0");
    },
    30_000,
  );

  test.each(documents)("[DC7] of %s refers to the correlation id in every message", (_name, files) => {
    const { components } = asyncapi(files);
    expect(components.correlationIds.correlation_id.location).toBe("$message.payload#/correlation_id");
    for (const message of Object.values(components.messages))
      expect(message).toMatchObject({ correlationId: { $ref: "#/components/correlationIds/correlation_id" } });
  });

  test.each(documents)("[DC2] of %s has only examples that match their schema", (_name, files) => {
    const { components } = asyncapi(files);
    for (const [id, { payload, examples }] of Object.entries(components.messages)) {
      const name = payload.$ref.replace("#/components/schemas/", "");
      const schema = {
        ...inlined(components.schemas[name], components.schemas),
        $schema: "http://json-schema.org/draft-07/schema#",
      };
      const checker = full.fromJSONSchema(schema as never);
      const refused = examples
        .map((example) => ({ id, example: example.payload, issues: checker.safeParse(example.payload).error?.issues }))
        .filter(({ issues }) => issues);
      expect(refused).toEqual([]);
      expect(examples).not.toEqual([]);
    }
  });

  test("[DC7] of an application has an operation for each request, with its reply", () => {
    const { operations } = asyncapi(app);
    expect(operations["client.request.task.create"]).toMatchObject({
      action: "receive",
      messages: [{ $ref: "#/channels/connection/messages/request.task.create" }],
      reply: { messages: [{ $ref: "#/channels/connection/messages/response.task.create" }] },
    });
    expect(operations["server.event.feed.commented"]).toMatchObject({ action: "send" });
    expect(operations["client.subscribe"]).toMatchObject({
      action: "receive",
      reply: { messages: [{ $ref: "#/channels/connection/messages/subscribe_response" }] },
    });
  });

  test("[DC7] of an application has names, codes and channels as constants", () => {
    const { schemas } = asyncapi(app).components;
    expect(schemas["request.task.create"]).toMatchObject({
      properties: { data: { properties: { name: { const: "task.create" } } } },
    });
    expect(schemas["event.feed.commented"]?.properties).toMatchObject({
      channel: { const: "feed" },
      event: { const: "commented" },
    });
    expect(schemas["response.task.create"]).toMatchObject({
      properties: {
        data: { anyOf: [{}, { properties: { error: { properties: { code: { const: "FULL" } } } } }, {}, {}] },
      },
    });
  });

  test("[DC7] has distinct ids for the events `b.c` of `a` and `c` of `a.b`", () => {
    const { messages } = asyncapi(app).components;
    expect(Object.keys(messages)).toEqual(expect.arrayContaining(["event.a.b.c", "event.a.b.c-2"]));
    expect(messages["event.a.b.c"]).toMatchObject({ examples: [{ payload: { channel: "a", event: "b.c" } }] });
    expect(messages["event.a.b.c-2"]).toMatchObject({ examples: [{ payload: { channel: "a.b", event: "c" } }] });
  });

  test("[DC7] has the address, the connection parameters and every security scheme", () => {
    const { servers, channels, components } = asyncapi(app);
    expect(servers.main).toMatchObject({ host: "example.com", protocol: "wss" });
    expect(channels.connection.address).toBe("/live");
    expect(channels.connection.bindings.ws.bindingVersion).toBe("0.1.0");
    expect(channels.connection.bindings.ws.query).toMatchObject({
      type: "object",
      properties: { sessionId: { format: "uuid" }, page: { type: "number" }, mode: { default: "quiet" } },
      required: ["sessionId"],
    });
    expect(Object.values(components.securitySchemes).map((scheme) => [scheme.type, scheme.in])).toEqual([
      ["http", undefined],
      ["httpApiKey", "cookie"],
      ["httpApiKey", "query"],
    ]);
    expect(JSON.stringify(servers.main)).toContain("`auth`");
  });
});

/** Replaces references by their schemas, because zod resolves none outside the schema itself. */
function inlined(value: unknown, schemas: { [name: string]: unknown }, depth = 0): object {
  if (Array.isArray(value)) return value.map((item) => inlined(item, schemas, depth)) as never;
  if (typeof value !== "object" || value === null) return value as never;
  const { $ref, ...rest } = value as { $ref?: string };
  if ($ref !== undefined)
    return depth > 12 ? {} : inlined(schemas[$ref.replace("#/components/schemas/", "")], schemas, depth + 1);
  return Object.fromEntries(Object.entries(rest).map(([key, child]) => [key, inlined(child, schemas, depth)]));
}

describe("schemas/", () => {
  test("[DC4] holds a JSON Schema 2020-12 for each message and value, and every reference in these files resolves", () => {
    const names = [...app.keys()].filter((name) => name.startsWith("schemas/"));
    expect(names).toEqual(
      expect.arrayContaining([
        ...new Set(wireMessages.map(({ type }) => `schemas/messages/${type}.json`)),
        "schemas/parameters.json",
        "schemas/requests/task.create/input.json",
        "schemas/requests/task.create/output.json",
        "schemas/requests/task.create/errors/FULL.json",
        "schemas/requests/a.b/input.json",
        "schemas/channels/a/events/b.c.json",
        "schemas/channels/a.b/events/c.json",
        "schemas/channels/board/key.json",
        "schemas/channels/board/state.json",
        "schemas/channels/board/presence.json",
        "schemas/channels/feed/events/commented.json",
        "schemas/direct/paused.json",
      ]),
    );
    for (const name of names) {
      const schema = JSON.parse(app.get(name)!) as { $schema: string; $defs?: object };
      expect(schema.$schema).toBe("https://json-schema.org/draft/2020-12/schema");
      for (const [, path] of app.get(name)!.matchAll(/"\$ref": "#\/\$defs\/([^"]+)"/g))
        expect(Object.keys(schema.$defs ?? {})).toContain(path);
    }
  });

  test("[DC4] describes the fields of a message with the comments of the source", () => {
    expect(JSON.parse(wire.get("schemas/messages/auth.json")!)).toMatchObject({
      title: "auth",
      properties: {
        data: {
          properties: {
            session_id: { description: fieldNotes["auth.data.session_id"] },
          },
        },
      },
    });
  });
});

describe("protocol.md", () => {
  const text = app.get("protocol.md")!;

  test.each(documents)("[DC5] of %s has a target for each link", (_name, files) => {
    const markdown = files.get("protocol.md")!;
    const ids = [...markdown.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, id] of markdown.matchAll(/\]\(#([^)]+)\)/g)) expect(ids).toContain(id);
  });

  test("[DC5] has requests, channels, direct events, parameters, errors, both tables and the diagrams", () => {
    for (const part of [
      "`task.create`",
      "`FULL`",
      "`feed`",
      "`board`",
      "`paused`",
      "`sessionId`",
      "## Close codes",
      "| 4401 |",
      "## Error codes",
      "| `BAD_MESSAGE` |",
    ])
      expect(text).toContain(part);
    expect(text.match(/```mermaid/g)).toHaveLength(12);
    expect(text).toContain("?sessionId=0193e2a4-5b7c-7d21-9c3e-4f5a6b7c8d9e&mode=quiet");
  });

  test("[DC5] describes each reset reason", () => {
    const [, rows = ""] = wire.get("protocol.md")!.split('<a id="reset-reasons">');
    for (const reason of resetReasons) expect(rows).toMatch(new RegExp(`^\\| \`${reason}\` \\| [A-Z].+\\. \\|$`, "m"));
  });

  test("[DC5] shows the type of a void value as `nothing`", () => {
    expect(text).toContain("| `(value)` | `nothing` | no |");
  });

  test("[DC5] has the same number of cells in all rows of a table", () => {
    for (const block of text.matchAll(/(?:^\|.*\|$\n)+/gm)) {
      const widths = block[0]
        .trim()
        .split("\n")
        .map((line) => line.replaceAll("\\|", "").split("|").length);
      expect({ table: block[0], widths: new Set(widths).size }).toEqual({ table: block[0], widths: 1 });
    }
  });

  test("[DC2] shows values that JSON cannot hold in wire form, with `meta`", () => {
    const flat = text.replace(/\s+/g, " ");
    expect(flat).toContain('"tags": ["home"], "limits": [["minutes", "30"]]');
    expect(flat).toContain(
      '"meta": { "values": { "tags": ["set"], "limits": ["map", { "0.1": ["bigint"] }] }, "v": 1 }',
    );
  });
});

describe("index.html", () => {
  test.each(documents)("[DC8] of %s refers to no resource that the browser would load", (_name, files) => {
    const page = files.get("index.html")!;
    expect(page).not.toMatch(/\b(?:src|href|action|poster|srcset|data)\s*=\s*["']?\s*(?:https?:|\/\/|\.{0,2}\/)/i);
    expect(page).not.toMatch(/url\(|@import|<(?:img|iframe|object|embed|script)[^>]+src/i);
    expect(page).toContain("default-src 'none'");
  });

  test.each(documents)("[DC8] of %s has a target for each link", (_name, files) => {
    const page = files.get("index.html")!;
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, id] of page.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(id);
  });

  test("[DC8] escapes the descriptions of an application", () => {
    const page = app.get("index.html")!;
    expect(page).toContain("All there is &lt;b&gt;at once&lt;/b&gt; &amp; &quot;more&quot;.");
    expect(page).not.toContain("<title>.");
  });

  test("[DC8] draws every diagram", () => {
    expect(app.get("index.html")!.match(/<svg class="sequence"/g)).toHaveLength(12);
  });
});

test("[DC1] protocolFiles and wireFiles return identical files for the same protocol", () => {
  expect(protocolFiles(everything, { server: "wss://example.com/live" })).toEqual(app);
  expect(wireFiles()).toEqual(wire);
});

test("[DC1] protocolFiles accepts a protocol without requests, channels and direct events", () => {
  const files = protocolFiles(defineProtocol({ name: "bare", version: "1.0.0" }));
  expect(files.get("protocol.md")).toMatch(/^# bare$/m);
});
