import { PROTOCOL_VERSION } from "@holdfast/protocol";
import { type Direction, resetReasons, type WireMessage, wireMessages } from "@holdfast/protocol/wire";
import { fieldNotes } from "./field-notes.js";
import { type Field, fieldsOf } from "./fields.js";
import {
  type Badge,
  type Block,
  code,
  frame,
  link,
  type Reference,
  type Section,
  sequenceSection,
  table,
  text,
} from "./reference.js";
import { EXAMPLE_CAST } from "./cast.js";
import { sequencesOf } from "./sequences.js";
import {
  addressBlocks,
  closeCodeSection,
  credentialSection,
  errorCodeSection,
  notServedYet,
  richValueSection,
  shapeSection,
} from "./shared-sections.js";
import { wireSchema } from "./wire-schema.js";

/** The reference of the wire protocol: every message, independent of any application. */
export function wireReference(): Reference {
  const sequences = sequencesOf(EXAMPLE_CAST);
  const about = (...ids: string[]) => sequences.filter(({ id }) => ids.includes(id));
  return {
    title: "The Holdfast protocol",
    subtitle: `Version ${PROTOCOL_VERSION} of the wire`,
    introduction: [
      text(
        "What goes over the wire between a client and a server of Holdfast, complete enough to write either in another " +
          "language. An application's own requests and channels travel inside these messages; its reference is written by " +
          "`npx holdfast docs`.",
      ),
      notServedYet(),
    ],
    sections: [
      {
        id: "connecting",
        title: "Connecting",
        blocks: addressBlocks("wss://host/ws"),
        sections: [credentialSection(about("connect-with-a-token", "connect-with-a-cookie"))],
      },
      envelopeSection(),
      messagesSection("client", "From client to server"),
      messagesSection("server", "From server to client"),
      {
        id: "sequences",
        title: "Sequences",
        blocks: [],
        sections: sequences.filter(({ id }) => !id.startsWith("connect-")).map(sequenceSection),
      },
      resetSection(),
      richValueSection(),
      shapeSection(),
      closeCodeSection(),
      errorCodeSection(),
    ],
  };
}

function envelopeSection(): Section {
  return {
    id: "envelope",
    title: "The envelope",
    blocks: [
      text(
        "A message is one JSON object. `type` says which one it is; the other fields are those it has a use for. Every " +
          "message may have a `correlation_id` and `metadata`, and an answer repeats the `correlation_id` of its question.",
      ),
      table(
        ["Field", "Type", "What it is"],
        [
          [code("type"), "string", "One of the types below."],
          [
            code("correlation_id"),
            "string",
            "Ties an answer to its question. Chosen by whoever asks; 1 to 64 characters.",
          ],
          [code("channel"), "string", "`name` or `name:key`; printable ASCII, at most 255 characters."],
          [code("event"), "string", "The name of an event of the channel."],
          [code("data"), "any JSON", "What the message says."],
          [
            code("meta"),
            "object",
            `Annotates the application's value in it: ${link("rich-values", "values that JSON cannot hold")}.`,
          ],
          [
            code("metadata"),
            "object",
            "Notes, such as `client_version`. On events of a channel with history: the place in its chain.",
          ],
        ],
      ),
    ],
  };
}

function messagesSection(sentBy: Direction, title: string): Section {
  const messages = wireMessages.filter((message) => message.sentBy === sentBy);
  return {
    id: `from-${sentBy}`,
    title,
    blocks: [
      table(
        ["Message", "When it is sent"],
        messages.map((message) => [link(idOf(message), code(message.type)), message.sentWhen]),
      ),
    ],
    sections: messages.map(messageSection),
  };
}

function messageSection(message: WireMessage): Section {
  const answer =
    message.answeredBy && ` Answered by ${link(`server-${message.answeredBy}`, code(message.answeredBy))}.`;
  const blocks: Block[] = [
    text(message.sentWhen + (answer ?? "")),
    { kind: "fields", caption: "Fields", fields: fieldsOf(wireSchema(message)).filter(isTelling) },
    frame("Example", message.sentBy, message.example),
  ];
  return { id: idOf(message), title: message.type, isName: true, badges: badgesOf(message), blocks };
}

/**
 * Leaves out fields that every message has, and the fields of replayed events, which are the same
 * as those of `event`.
 */
function isTelling({ path, required, type }: Field): boolean {
  if (path === "correlation_id") return required;
  if (path === "metadata") return type === "object";
  return !path.startsWith("data.results[].missed[].");
}

function badgesOf({ type, sentBy }: WireMessage): Badge[] {
  if (type === "ping" || type === "pong") return ["both ways"];
  return [sentBy === "client" ? "client → server" : "server → client"];
}

function idOf(message: WireMessage): string {
  return `${message.sentBy}-${message.type}`;
}

function resetSection(): Section {
  return {
    id: "reset-reasons",
    title: "Reset reasons",
    blocks: [
      text(
        "A position is `{ epoch, offset, id }` of the last event applied. An event follows it if its offset is the next " +
          "one and its `prev` is the position's id; the id is the proof, since a store that was rolled back issues the same " +
          "offsets again. Where that fails the client is told so, with one of these reasons.",
      ),
      table(
        ["Reason", "What happened"],
        resetReasons.map((reason) => [code(reason), fieldNotes[`reset-reasons.${reason}`] ?? ""]),
      ),
    ],
  };
}
