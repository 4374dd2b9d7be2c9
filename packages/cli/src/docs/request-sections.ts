import type { RequestKind } from "@holdfast/protocol";
import type { DocumentedRequest } from "./application.js";
import { requestCalls } from "./calls.js";
import {
  type Block,
  code,
  frame,
  framesFold,
  link,
  nth,
  type Section,
  sequenceSection,
  table,
  text,
} from "./reference.js";
import type { Sequence } from "./sequence.js";
import { valueFields } from "./value-fields.js";

const kinds: { readonly [Kind in RequestKind]: string } = {
  query: "A query changes nothing, so the client retries it automatically after a reconnect.",
  mutation: "A mutation can be retried safely: each retry carries the same idempotency key, `data.key`.",
  once: "The client never retries this request. If the connection drops before the response, the call rejects because the outcome is unknown.",
};

export function requestsSection(
  protocol: string,
  requests: readonly DocumentedRequest[],
  sequences: readonly Sequence[],
): Section {
  return {
    id: "requests",
    title: "Requests",
    blocks: [
      table(
        ["Request", "Kind", "Description"],
        requests.map(({ name, kind, description }) => [link(`request-${name}`, code(name)), kind, description ?? ""]),
      ),
    ],
    sections: [...requests.map((request) => requestSection(protocol, request)), ...sequences.map(sequenceSection)],
  };
}

function requestSection(protocol: string, request: DocumentedRequest): Section {
  const { name, kind, description, input, output, errors, calls, answers } = request;
  const blocks: Block[] = [
    ...(description ? [text(description)] : []),
    text(kinds[kind]),
    ...requestCalls(protocol, request),
    ...(input ? [valueFields("Input", input)] : [text("**Input**: none.")]),
    ...(output ? [valueFields("Output", output)] : [text("**Output**: none.")]),
    ...errors.map(({ code: errorName, value }) => valueFields(`Error ${code(errorName)}: its data`, value)),
    framesFold(
      ...calls.map((message, index) => frame(nth("Request", index, calls), "client", message)),
      ...answers.map((message, index) => frame(nth("Response", index, answers), "server", message)),
      ...errors.flatMap(({ code: errorName, answers: refusals }) =>
        refusals.map((message) => frame(`Response with ${errorName}`, "server", message)),
      ),
    ),
  ];
  return { id: `request-${name}`, title: name, isName: true, badges: [kind], blocks };
}
