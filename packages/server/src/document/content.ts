import { type ChannelId, type Fault, HoldfastError } from "@holdfast/protocol";
import { deepCopy, documentFault } from "@holdfast/protocol/internal";
import type { DocumentContent } from "./document.js";

/**
 * Turns a value into the content of a channel's document. `outcome` completes the error's sentence
 * "The document of board:a …".
 *
 * @throws HoldfastError INVALID_VALUE, `field` names the place; LIMIT_EXCEEDED
 */
export function contentOf(
  { wire, contract }: ChannelId,
  value: unknown,
  mostBytes: number,
  outcome = "was not changed",
): DocumentContent {
  const invalid = ({ message, ...details }: Fault): HoldfastError =>
    new HoldfastError("INVALID_VALUE", `The document of ${wire} ${outcome}: ${message}`, details);
  const sent = contract.document!.send(value, "document");
  if (!sent.ok) throw invalid(sent.fault);
  const { data, meta } = sent.value;
  const text = JSON.stringify(sent.value);
  const fault = documentFault(data);
  if (fault) throw invalid(fault);
  if (text.length * 3 > mostBytes && Buffer.byteLength(text) > mostBytes) {
    const limit = `The document of ${wire} ${outcome}: as JSON, it is larger than ${mostBytes} bytes.`;
    throw new HoldfastError("LIMIT_EXCEEDED", limit, {
      field: "document",
      remedy: "Split the document across several channels, or raise `limits.documentBytes`.",
    });
  }
  return { data, ...(meta !== undefined && { meta }) };
}

/** The document as a value for the application, which may change it. */
export function valueOf(id: ChannelId, content: DocumentContent): unknown {
  return deepCopy(readContent(id, content));
}

/**
 * The document as a read-only value. All documents share the defaults that the schema fills in, so
 * the value must not be changed.
 *
 * @throws HoldfastError INTERNAL if the document does not match the schema
 */
export function readContent({ wire, contract }: ChannelId, { data, meta }: DocumentContent): unknown {
  const read = contract.document!.receive(deepCopy(data), meta, "document");
  if (read.ok) return read.value;
  const text = `The stored document of ${wire} does not match the schema: ${read.fault.message}`;
  throw new HoldfastError("INTERNAL", text, {
    field: read.fault.field,
    remedy: "Replace the document with `set`, or `delete` it.",
    cause: read.fault.cause,
  });
}
