import type * as core from "zod/v4/core";
import type { ProtocolDefinition } from "./definition.js";
import { isReservedCode } from "./error-codes.js";
import { HoldfastError } from "./errors.js";
import { formatPath } from "./issues.js";
import { readSchema, type Schema } from "./schema.js";
import { bare, isSchema, schemaFault } from "./schema-parts.js";
import { typesOf } from "./schema-types.js";

/**
 * Checks the whole definition when `defineProtocol` is called, so that a mistake shows when the
 * process starts and not when the first message is sent. Throws INVALID_PROTOCOL for the first
 * fault; `field` of the error names the place of the fault.
 */
export function checkDefinition(definition: ProtocolDefinition): void {
  checkObject(
    definition,
    [],
    ["name", "version", "description", "parameters", "requests", "channels", "direct", "deviceId"],
  );
  checkDescription(definition.description, ["description"]);
  if (typeof definition.name !== "string" || !/^[a-z][a-z0-9-]{0,63}$/i.test(definition.name)) {
    fail(["name"], 'expected a letter, then letters, digits or dashes, at most 64 characters, such as "agents"');
  }
  if (typeof definition.version !== "string" || !/^\d+\.\d+\.\d+(-[\w.-]+)?$/.test(definition.version)) {
    fail(["version"], 'expected a semantic version, such as "1.0.0"');
  }
  if (definition.parameters !== undefined) {
    checkSchema(definition.parameters, ["parameters"]);
    checkParameters(definition.parameters);
  }

  checkMembers(definition.requests, ["requests"], NAME, (request, at) => {
    checkObject(request, at, ["kind", "input", "output", "errors", "description"]);
    checkDescription(request.description, [...at, "description"]);
    if (request.kind !== undefined && !["query", "mutation", "once"].includes(request.kind)) {
      fail([...at, "kind"], 'expected "query", "mutation" or "once"');
    }
    if (request.input !== undefined) checkSchema(request.input, [...at, "input"]);
    if (request.output !== undefined) checkSchema(request.output, [...at, "output"]);
    checkMembers(request.errors, [...at, "errors"], ERROR_NAME, (schema, errorAt) => {
      if (isReservedCode(errorAt.at(-1)!)) fail(errorAt, "is reserved for Holdfast; choose another code");
      checkSchema(schema, errorAt);
    });
  });

  checkMembers(definition.channels, ["channels"], NAME, (channel, at) => {
    checkObject(channel, at, ["key", "events", "document", "presence", "history", "description"]);
    checkDescription(channel.description, [...at, "description"]);
    if (channel.key !== undefined) {
      checkSchema(channel.key, [...at, "key"]);
      checkKey(channel.key, [...at, "key"]);
    }
    checkMembers(channel.events, [...at, "events"], NAME, checkSchema);
    if (channel.document !== undefined) {
      checkSchema(channel.document, [...at, "document"]);
      checkDocument(channel.document, [...at, "document"]);
    }
    if (channel.presence !== undefined) {
      checkSchema(channel.presence, [...at, "presence"]);
      if ([...typesOf(channel.presence)].every((type) => type === "undefined"))
        fail(
          [...at, "presence"],
          "accepts only undefined, so a user has nothing to show; to list users without data, use z.object({})",
        );
    }
    if (Object.keys(channel.events ?? {}).length === 0 && !channel.document && !channel.presence) {
      fail(at, "declares nothing that could be sent; declare events, a document or presence");
    }
    if (channel.history !== undefined) {
      checkObject(channel.history, [...at, "history"], ["size", "ttlMs"]);
      checkInteger(channel.history.size, [...at, "history", "size"], 1, 100_000);
      checkInteger(channel.history.ttlMs, [...at, "history", "ttlMs"], 1_000, 30 * 86_400_000);
    }
  });

  checkMembers(definition.direct, ["direct"], NAME, checkSchema);
  if (definition.deviceId !== undefined && !["optional", "required"].includes(definition.deviceId)) {
    fail(["deviceId"], 'expected "optional" or "required"');
  }
}

// A name contains no colon, because a colon separates a channel's name from its key. A name does
// not begin with $, because Holdfast uses such names itself.
const NAME = {
  pattern: /^[A-Za-z][\w.-]{0,127}$/,
  says: "expected a letter, then letters, digits, dots, dashes or underscores, at most 128 characters",
};
const ERROR_NAME = { pattern: /^[A-Z][A-Z0-9_]{0,63}$/, says: "expected UPPER_SNAKE_CASE" };

function checkMembers<Member>(
  members: { readonly [name: string]: Member } | undefined,
  at: string[],
  name: { pattern: RegExp; says: string },
  check: (member: Member, at: string[]) => void,
): void {
  if (members === undefined) return;
  if (typeof members !== "object" || members === null || Array.isArray(members) || isSchema(members))
    fail(at, "expected an object with one entry for each name");
  for (const [key, member] of Object.entries(members)) {
    if (!name.pattern.test(key) || key === "constructor" || key === "prototype")
      fail([...at, key], `is not a valid name: ${name.says}, and no reserved name such as "constructor"`);
    check(member, [...at, key]);
  }
}

function checkSchema(schema: Schema, at: string[]): void {
  const fault = schemaFault(schema);
  if (fault) fail(at, fault);
  const [first] = readSchema(schema).faults;
  if (first) fail([...at, ...first.path], first.reason);
}

function checkObject(value: object, at: string[], known: readonly string[]): void {
  if (typeof value !== "object" || value === null || Array.isArray(value) || isSchema(value))
    fail(at, `expected an object with the fields ${known.join(", ")}`);
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) fail([...at, key], `is not a known field; use one of ${known.join(", ")}`);
  }
}

function checkInteger(value: number, at: string[], least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    fail(at, `expected a whole number from ${least} to ${most}`);
}

function checkDescription(value: unknown, at: string[]): void {
  if (value !== undefined && typeof value !== "string") fail(at, "expected a string");
}

/**
 * A query string carries only text, so each parameter has to be a string, or be coerced from a
 * string.
 */
function checkParameters(parameters: Schema): void {
  const { def } = (parameters as core.$ZodTypes)._zod;
  if (def.type !== "object")
    fail(["parameters"], "expected an object schema with one field for each parameter of the query string");
  for (const [name, field] of Object.entries(def.shape)) {
    const at = ["parameters", name];
    const { def: inner } = bare(field as Schema)._zod;
    switch (inner.type) {
      case "number":
      case "bigint":
      case "date":
        if (!("coerce" in inner && inner.coerce))
          fail(at, `arrives as text in the query string; use z.coerce.${inner.type}()`);
        break;
      case "boolean":
        fail(at, 'arrives as text, and z.coerce.boolean() turns "false" into true; use z.enum(["true", "false"])');
        break;
      default:
        if (!isText(field as Schema)) fail(at, "expected a schema for strings, because a parameter arrives as text");
    }
  }
}

/**
 * A key is part of the channel's name on the wire. So the key is a string, is never left out, and
 * has only characters that a name may contain.
 */
function checkKey(key: Schema, at: string[]): void {
  const types = typesOf(key);
  if (types.has("undefined"))
    fail(
      at,
      "is optional, but the key is part of the channel's name; use .default(), or declare a second channel without a key",
    );
  if (!isText(key)) fail(at, "expected a schema for strings, such as z.uuid()");
  const { def } = bare(key)._zod;
  const { values } = (key as core.$ZodType)._zod;
  if ("format" in def && def.format === "emoji")
    fail(at, "accepts emoji, but a key is printable ASCII without spaces; choose another format");
  const odd = [...(values ?? [])].find((value) => !/^[\x21-\x7e]+$/.test(String(value)));
  if (odd !== undefined)
    fail(at, `accepts ${JSON.stringify(odd)}, but a key is printable ASCII without spaces; rename this value`);
}

/** A document changes by patches, and a patch needs an object or a list to point into. */
function checkDocument(document: Schema, at: string[]): void {
  const other = [...typesOf(document)].find((type) => !DOCUMENTS.has(type));
  if (other === undefined) return;
  const remedy = other === "null" || other === "undefined" ? "; to remove the document, call document.delete()" : "";
  fail(at, `expected a schema for an object or a list, but this schema also accepts ${other}${remedy}`);
}

/**
 * The types that the schema of a document may give. A map and a set are sent as lists; `any` means
 * that the type is unknown.
 */
const DOCUMENTS: ReadonlySet<string> = new Set(["object", "array", "map", "set", "any"]);

/** True if the schema accepts strings and no other type. `undefined` may also be accepted. */
function isText(schema: Schema): boolean {
  const types = typesOf(schema);
  return types.has("string") && [...types].every((type) => type === "string" || type === "undefined");
}

function fail(at: readonly string[], sentence: string): never {
  const place = formatPath("", at) || "the definition";
  throw new HoldfastError("INVALID_PROTOCOL", `defineProtocol: ${place}: ${sentence}.`, { field: place });
}
