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
    subtitle: `Version ${PROTOCOL_VERSION} of the wire protocol`,
    introduction: [
      text(
        "All messages between a client and a server of Holdfast, in enough detail to implement a client or server in another " +
          "language. The requests and channels of an application travel inside these messages. To write the reference of an " +
          "application, run `npx holdfast docs`.",
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
        "A message is a JSON object. `type` names the message, and each type has its own fields. Every " +
          "message may have a `correlation_id` and `metadata`. A response repeats the `correlation_id` of the request.",
      ),
      table(
        ["Field", "Type", "Meaning"],
        [
          [code("type"), "string", "A type of the tables below."],
          [
            code("correlation_id"),
            "string",
            "Connects a response to its request. The sender of the request chooses the id: 1 to 64 characters.",
          ],
          [code("channel"), "string", "`name` or `name:key`; printable ASCII, at most 255 characters."],
          [code("event"), "string", "The name of an event of the channel."],
          [code("data"), "any JSON", "The content of the message."],
          [
            code("meta"),
            "object",
            `Annotates the application's value in the message: ${link("rich-values", "values that JSON cannot hold")}.`,
          ],
          [
            code("metadata"),
            "object",
            "Additional facts, such as `client_version`. On events of a channel with history: the event's position and the id of the event before.",
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
        "A position is the `{ epoch, offset, id }` of the last event that the client applied. An event follows a position if its offset is the next " +
          "number and its `prev` is the position's id. The offset alone proves nothing, because a store that was rolled back assigns the same " +
          "offsets again. If the server cannot continue a position, the client receives a reset with one of these reasons.",
      ),
      table(
        ["Reason", "Meaning"],
        resetReasons.map((reason) => [code(reason), fieldNotes[`reset-reasons.${reason}`] ?? ""]),
      ),
    ],
  };
}
