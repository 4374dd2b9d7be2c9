import {
  type CloseAction,
  type CloseCode,
  closeCode,
  closeCodes,
  errorCodes,
  type ServerMessage,
  subprotocols,
} from "@holdfast/protocol";
import { MAX_DEPTH } from "@holdfast/protocol/internal";
import { type Block, code, frame, type Section, sequenceSection, table, text } from "./reference.js";
import type { Sequence } from "./sequence.js";

/** The sections that the references of applications and of the wire protocol share. */

const notSentYet: readonly ServerMessage["type"][] = ["goaway"];

/**
 * The wire protocol has messages that the server does not send yet, so that clients need not change
 * later. The reference names these messages.
 */
export function notServedYet(): Block {
  return text(
    `The server of this release does not send every message yet. It never sends ${notSentYet.map(code).join(", ")}.`,
  );
}

const actions: { readonly [Action in CloseAction]: string } = {
  retry: "reconnects, with backoff",
  retry_after: "reconnects, not before the delay the server named",
  new_token: "fetches a new token, then reconnects; at most 3 times a minute",
  stop: "stops",
};

export function closeCodeSection(): Section {
  const row = ({ code: number, name, meaning, action, firstRetryMs }: CloseCode, label = String(number)): string[] => [
    label,
    code(name),
    meaning,
    actions[action] + (firstRetryMs ? `; the first time within ${firstRetryMs / 1_000} s` : ""),
  ];
  return {
    id: "close-codes",
    title: "Close codes",
    blocks: [
      text(
        "Why a connection ended, and what the client does next. Numbers from 4400 mirror HTTP. The reason of a close with " +
          '1012, 1013 or 4429 may be JSON, such as `{"retryAfterMs":600}`.',
      ),
      table(
        ["Code", "Name", "The connection ended because …", "The client …"],
        [
          ...closeCodes.map((each) => row(each)),
          row(closeCode(4_800), "4800 to 4899"),
          row(closeCode(4_900), "4900 to 4999"),
          ["any other", code("UNKNOWN"), "of that code", actions[closeCode(3_000).action]],
        ],
      ),
    ],
  };
}

export function errorCodeSection(): Section {
  return {
    id: "error-codes",
    title: "Error codes",
    blocks: [
      text(
        "Every error has one of these codes or a code that the request declares, a message that names the " +
          "field, and a remedy. If a code is retryable, the same call can succeed later.",
      ),
      table(
        ["Code", "When", "Retryable", "What to do"],
        errorCodes.map((row) => [code(row.code), row.meaning, row.retryable ? "yes" : "no", row.remedy]),
      ),
    ],
  };
}

export function credentialSection(sequences: readonly Sequence[]): Section {
  return {
    id: "credentials",
    title: "Credentials",
    blocks: [
      table(
        ["Where", "How", "When it is refused"],
        [
          [
            "message",
            'The first message: `{"type":"auth","data":{"token":"…"}}`, within 5 s. What the client library does: no secret ' +
              "in an address, and the refusal can be read.",
            "`auth_response` with the error, then close 4401",
          ],
          ["header", "`Authorization: Bearer …`", "HTTP 401 instead of the upgrade"],
          ["cookie", "The cookie the server was told to read, such as `sid`.", "HTTP 401 instead of the upgrade"],
          [
            "query",
            "`?token=…`, where the server allows it. Addresses end up in logs; meant for scripts.",
            "HTTP 401 instead of the upgrade",
          ],
          [
            "ticket",
            "`?ticket=…`, where the server issues tickets: valid once, for 30 s. For clients that can set no header.",
            "HTTP 401 instead of the upgrade",
          ],
        ],
      ),
      text(
        "`auth` sent again on a live connection replaces the token before it expires; the server asks for it with " +
          "`auth_expiring`. User and device have to be the same.",
      ),
      text(
        `A connection whose upgrade request carried the credential is greeted at once. A client that has a device or a ` +
          `session to name offers the subprotocol ${code(subprotocols.auth)} beside ${code(subprotocols.json)}: then its ` +
          `first message is ${code("auth")}, without a token, and the greeting is the answer to that.`,
      ),
    ],
    sections: sequences.map(sequenceSection),
  };
}

export function addressBlocks(address: string) {
  return [
    text(
      `Open a WebSocket to \`${address}\` and offer the subprotocol \`${subprotocols.json}\`; a client that offers none is ` +
        "spoken to in the same way. Every frame is one message: a JSON object in a text frame.",
    ),
  ];
}

export function richValueSection(): Section {
  return {
    id: "rich-values",
    title: "Values that JSON cannot hold",
    blocks: [
      text(
        "`data` is always readable JSON. Where a schema asks for a value that JSON cannot hold, `data` holds the form " +
          "below, and `meta.values` says where: a path to the value and its tag. `meta` annotates the application's value: " +
          "`data` of an event, `data.input` of a request, `data.output` or `data.error.data` of a response. Only tags that the " +
          "schema asks for are restored.",
      ),
      table(
        ["Value", "Tag", "In `data`"],
        [
          ["Date", code("Date"), 'ISO 8601 text: `"2026-01-15T09:30:00.000Z"`'],
          ["BigInt", code("bigint"), 'Digits: `"12345678901234567890"`'],
          ["Map", code("map"), 'Pairs: `[["a",1],["b",2]]`'],
          ["Set", code("set"), 'A list: `["a","b"]`'],
          ["undefined, in a list", code("undefined"), "`null`"],
          ["NaN, Infinity, -0", code("number"), 'Its name: `"NaN"`'],
        ],
      ),
      frame("A Date, and a Map whose values are Dates", "server", {
        type: "event",
        channel: "agent-updates",
        event: "seen",
        data: { at: "2026-01-15T09:30:00.000Z", by: [["u1", "2026-01-15T09:29:58.000Z"]] },
        meta: { values: { at: ["Date"], by: ["map", { "0.1": ["Date"] }] }, v: 1 },
      }),
    ],
  };
}

export function shapeSection(): Section {
  return {
    id: "shape",
    title: "Limits of a message",
    blocks: [
      text("Both sides refuse a message that exceeds these bounds, and never send such a message."),
      table(
        ["Bound", "What happens"],
        [
          ["larger than `limits.message_bytes` of `connected`", "close 1009"],
          ["a binary frame, or text that is not a JSON object", "`BAD_MESSAGE`"],
          [`nested more than ${MAX_DEPTH} levels deep`, "`BAD_MESSAGE`"],
          ["a list or an object of more than 10,000 members", "`BAD_MESSAGE`"],
          ["the key `__proto__`, plain or escaped", "`BAD_MESSAGE`"],
          ["half a surrogate pair in a text", "`BAD_MESSAGE`"],
          ["a field of the message given twice", "`BAD_MESSAGE`"],
          ["a field that is missing or wrong", "`BAD_MESSAGE`, naming the field"],
          ["a field that is not known", "it is ignored, so that older and newer peers understand each other"],
        ],
      ),
    ],
  };
}
