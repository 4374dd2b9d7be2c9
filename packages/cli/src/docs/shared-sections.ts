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
  retry_after: "reconnects after the delay that the server sent",
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
        "The reason for each close and the client's reaction. Codes from 4400 follow the status codes of HTTP. The reason of a close with " +
          '1012, 1013 or 4429 may be JSON, such as `{"retryAfterMs":600}`.',
      ),
      table(
        ["Code", "Name", "The connection ended because …", "The client …"],
        [
          ...closeCodes.map((each) => row(each)),
          row(closeCode(4_800), "4800 to 4899"),
          row(closeCode(4_900), "4900 to 4999"),
          [
            "any other",
            code("UNKNOWN"),
            "the peer closed with a code that is not listed",
            actions[closeCode(3_000).action],
          ],
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
        "Every error has a code of this table or a code that the request declares, a message that names the " +
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
        ["Place", "Format", "If the server refuses the credential"],
        [
          [
            "message",
            'The first message: `{"type":"auth","data":{"token":"…"}}`, within 5 s. The client library uses this format, because ' +
              "the secret does not appear in a URL and the client can read the error.",
            "`auth_response` with the error, then close 4401",
          ],
          ["header", "`Authorization: Bearer …`", "HTTP 401 instead of the upgrade"],
          [
            "cookie",
            "The cookie that the server is configured to read, such as `sid`.",
            "HTTP 401 instead of the upgrade",
          ],
          [
            "query",
            "`?token=…`, if the server allows this format. Meant for scripts, because URLs end up in logs.",
            "HTTP 401 instead of the upgrade",
          ],
          [
            "ticket",
            "`?ticket=…`, if the server issues tickets. A ticket is valid once, for 30 s. For clients that cannot set headers.",
            "HTTP 401 instead of the upgrade",
          ],
        ],
      ),
      text(
        "To replace a token before the token expires, the client sends `auth` again on the open connection. The server asks for a new token with " +
          "`auth_expiring`. User and device must stay the same.",
      ),
      text(
        `If the upgrade request carries the credential, the server sends \`connected\` at once. To name a device or a ` +
          `session, the client also offers the subprotocol ${code(subprotocols.auth)} beside ${code(subprotocols.json)}. The client's ` +
          `first message is then ${code("auth")} without a token, and the server sends \`connected\` in response.`,
      ),
    ],
    sections: sequences.map(sequenceSection),
  };
}

export function addressBlocks(address: string) {
  return [
    text(
      `Open a WebSocket to \`${address}\` and offer the subprotocol \`${subprotocols.json}\`. If a client offers no subprotocol, the server uses ` +
        "the same protocol. Every message is a JSON object in a text frame of its own.",
    ),
  ];
}

export function richValueSection(): Section {
  return {
    id: "rich-values",
    title: "Values that JSON cannot hold",
    blocks: [
      text(
        "`data` is always readable JSON. If a schema requires a value that JSON cannot hold, `data` contains the form " +
          "below, and `meta.values` maps the path of the value to a tag. `meta` annotates the application's value: " +
          "`data` of an event, `data.input` of a request, `data.output` or `data.error.data` of a response. Only tags that the " +
          "schema requires are restored.",
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
      text("Client and server refuse a message that exceeds these limits, and never send such a message."),
      table(
        ["Message", "Result"],
        [
          ["more than `limits.message_bytes` of `connected`", "close 1009"],
          ["a binary frame, or text that is not a JSON object", "`BAD_MESSAGE`"],
          [`nested more than ${MAX_DEPTH} levels deep`, "`BAD_MESSAGE`"],
          ["a list or an object of more than 10,000 members", "`BAD_MESSAGE`"],
          ["the key `__proto__`, plain or escaped", "`BAD_MESSAGE`"],
          ["half a surrogate pair in a text", "`BAD_MESSAGE`"],
          ["a field that occurs twice", "`BAD_MESSAGE`"],
          ["a field that is missing or wrong", "`BAD_MESSAGE`, naming the field"],
          ["an unknown field", "ignored, so that older and newer peers understand each other"],
        ],
      ),
    ],
  };
}
