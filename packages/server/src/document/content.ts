import { type ChannelId, type Fault, HoldfastError } from "@holdfast/protocol";
import { deepCopy, documentFault } from "@holdfast/protocol/internal";
import type { DocumentContent } from "./document.js";

/**
 * What is kept of a value that is to be a channel's document. `outcome` says what became of it
 * where it cannot be one.
 *
 * @throws HoldfastError INVALID_VALUE, naming the field, or LIMIT_EXCEEDED
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
    const limit = `The document of ${wire} ${outcome}: it would take more than ${mostBytes} bytes.`;
    throw new HoldfastError("LIMIT_EXCEEDED", limit, {
      field: "document",
      remedy: "Split it over several channels, or raise limits.documentBytes.",
    });
  }
  return { data, ...(meta !== undefined && { meta }) };
}

/** The value, as the application has it: a copy of its own. */
export function valueOf(id: ChannelId, content: DocumentContent): unknown {
  return deepCopy(readContent(id, content));
}

/**
 * The same to be looked at only: what the schema has filled in is the schema's own, and that of all
 * documents.
 */
export function readContent({ wire, contract }: ChannelId, { data, meta }: DocumentContent): unknown {
  const read = contract.document!.receive(deepCopy(data), meta, "document");
  if (read.ok) return read.value;
  const text = `The document of ${wire} does not match its schema any more: ${read.fault.message}`;
  throw new HoldfastError("INTERNAL", text, {
    field: read.fault.field,
    remedy: "Replace it with set, or delete it.",
    cause: read.fault.cause,
  });
}
