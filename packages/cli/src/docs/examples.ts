import { type $ZodType, globalRegistry } from "zod/v4/core";
import { type ClientMessage, HoldfastError, type RichValue, type Schema, type ServerMessage } from "@holdfast/protocol";
import { valueSchema } from "@holdfast/protocol/internal";
import { clientMessage, jsonCodec, serverMessage } from "@holdfast/protocol/wire";
import { NoExample, synthesize } from "./synthesize.js";

/**
 * Returns the examples of a schema (`.meta({ examples: […] })`) in wire form. If the schema has no
 * examples, the function makes one. Each example is encoded and decoded, so an invalid example
 * never reaches the reference.
 *
 * @param place the path of the schema in the definition, for the error
 * @throws HoldfastError INVALID_PROTOCOL if an example does not match the schema, or if no
 *   example can be made
 */
export function examplesOf(schema: Schema, place: string): readonly [RichValue, ...RichValue[]] {
  const named = globalRegistry.get(schema as $ZodType)?.["examples"];
  if (Array.isArray(named) && named.length > 0) {
    const checked = named.map((value, index) => check(schema, value, place, `examples[${index}]`));
    return checked as [RichValue, ...RichValue[]];
  }
  try {
    return [check(schema, synthesize(schema), place, "the generated example")];
  } catch (error) {
    if (!(error instanceof NoExample)) throw error;
    const field = error.field ? `${place}.${error.field}` : place;
    throw fail(field, "no example can be made for this schema", REMEDY);
  }
}

const REMEDY = "Add an example: .meta({ examples: [ … ] }), or .check(z.meta({ examples: [ … ] })) with zod/mini.";

function check(schema: Schema, value: unknown, place: string, which: string): RichValue {
  const contract = valueSchema(schema);
  const sent = contract.send(value, which);
  if (!sent.ok) throw fail(place, sent.fault.message.replace(/\.$/, ""), REMEDY);
  const { data, meta } = JSON.parse(JSON.stringify(sent.value)) as RichValue;
  const received = contract.receive(data, meta, which);
  if (!received.ok)
    throw fail(place, `${received.fault.message.replace(/\.$/, "")}, after a round trip`, "Correct the schema.");
  return { data, ...(meta !== undefined && { meta }) };
}

function fail(place: string, sentence: string, remedy: string): HoldfastError {
  return new HoldfastError("INVALID_PROTOCOL", `docs: ${place}: ${sentence}.`, { field: place, remedy });
}

const toServer = jsonCodec<ClientMessage, ServerMessage>(clientMessage);
const toClient = jsonCodec<ServerMessage, ClientMessage>(serverMessage);

/** Checks that the receiving side can decode an example frame. */
export function checkFrame(sentBy: "client" | "server", message: ClientMessage | ServerMessage): void {
  const frame = JSON.stringify(message);
  const decoded = sentBy === "client" ? toServer.decode(frame) : toClient.decode(frame);
  if (!decoded.ok)
    throw fail(message.type, `an example frame cannot be decoded: ${decoded.fault.message}`, "Correct the frame.");
}
