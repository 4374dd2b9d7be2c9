import { subprotocols } from "@holdfast/protocol";
import { type Cast, scriptOf } from "./cast.js";
import { identitySequences } from "./identity-sequences.js";
import { answer, call, close, either, note, says, type Sequence } from "./sequence.js";

/**
 * All sequences of a connection. The texts, the mermaid diagrams and the drawings are made from
 * this list.
 */
export function sequencesOf(cast: Cast): readonly Sequence[] {
  const { channel, request } = cast;
  const script = scriptOf(cast);
  const { auth, welcome, connected, subscribe, subscribed, requested, answered, event, failed } = script;
  const upgrade = call("client", "server", "GET /ws, Upgrade: websocket");
  const switching = answer("server", "client", `101 ${subprotocols.json}`);

  return [
    {
      id: "connect-with-a-token",
      title: "Connect with a token",
      text:
        "The client sends `auth` first and `subscribe` directly after it, so all channels are restored after " +
        "one round trip. Messages that arrive while the token is being checked wait and are handled in order. " +
        "If no `auth` arrives within 5 s, the server closes with 4401.",
      steps: [
        upgrade,
        switching,
        says.client(auth),
        says.client(subscribe),
        call("server", "handler", "authenticate({ token })"),
        either(
          {
            label: "the token is valid",
            steps: [
              answer("handler", "server", "{ userId }"),
              says.server(welcome),
              says.server(connected),
              says.server(subscribed),
            ],
          },
          {
            label: "the token is not valid",
            steps: [
              answer("handler", "server", "throws"),
              says.server({
                type: "auth_response",
                correlation_id: "1",
                data: { success: false, error: { code: "UNAUTHENTICATED", message: "The token is not valid." } },
              }),
              close("server", "UNAUTHENTICATED"),
              note("client", "fetches a new token, then connects again; at most 3 times a minute"),
            ],
          },
        ),
      ],
    },
    {
      id: "connect-with-a-cookie",
      title: "Connect with a cookie",
      text:
        "If the upgrade request carries a credential (a cookie, an `Authorization` header or, if the server allows this, " +
        "`?token=`), the server checks the credential before the upgrade and refuses with HTTP 401. After the upgrade the server sends `connected`; " +
        `if the client offered \`${subprotocols.auth}\`, the server first waits for \`auth\` without a token.`,
      steps: [
        call("client", "server", "GET /ws, Cookie: sid=…"),
        call("server", "handler", "authenticate({ cookies })"),
        either(
          {
            label: "the session is known",
            steps: [answer("handler", "server", "{ userId }"), switching, says.server(connected)],
          },
          {
            label: "the session is unknown",
            steps: [answer("handler", "server", "throws"), answer("server", "client", "401 Unauthorized")],
          },
        ),
      ],
    },
    {
      id: "subscribe-and-publish",
      title: "Subscribe and publish",
      text:
        "One `subscribe` can name many channels, and the response has a result for each. After the response, " +
        "every publication arrives in order.",
      steps: [
        call("application", "client", `channel("${channel}").on(…)`),
        says.client(subscribe),
        call("server", "handler", "authorize({ channel, action })"),
        answer("handler", "server", "true"),
        says.server(subscribed),
        call("handler", "server", `publish("${cast.event}", …)`),
        says.server(event()),
        answer("client", "application", `${cast.event}(event)`),
        call("application", "client", "leave()"),
        says.client({ type: "unsubscribe", correlation_id: "3", data: { channels: [channel] } }),
        says.server({
          type: "unsubscribe_response",
          correlation_id: "3",
          data: { success: true, unsubscribed: [channel] },
        }),
      ],
    },
    {
      id: "request-and-cancel",
      title: "Request, answer, cancel",
      text:
        "Every `request` receives exactly one `response` with the same correlation id. `cancel` aborts the handler's " +
        "signal. The response then has the code CANCELLED, unless the output was sent before the `cancel` arrived.",
      steps: [
        call("application", "client", `request("${request}", …)`),
        says.client(requested),
        call("server", "handler", "handle({ input, signal })"),
        either(
          {
            label: "the handler returns",
            steps: [
              answer("handler", "server", "output"),
              says.server(answered),
              answer("client", "application", "resolves"),
            ],
          },
          {
            label: "the caller aborts",
            steps: [
              call("application", "client", "signal aborts"),
              says.client({ type: "cancel", correlation_id: "5" }),
              call("server", "handler", "signal aborts"),
              says.server(failed("CANCELLED", "The caller cancelled the request.")),
              answer("client", "application", "rejects: CANCELLED"),
            ],
          },
        ),
      ],
    },
    ...identitySequences(cast, script),
    {
      id: "resume-or-reset",
      title: "Resume, or reset",
      text:
        "A client that reconnects sends its position. The response holds all missed events or a reset, never " +
        "part of the missed events.",
      steps: [
        says.server(event(41)),
        note("client", "the connection drops; 42 and 43 are published"),
        upgrade,
        switching,
        says.client(auth),
        says.client({
          type: "subscribe",
          correlation_id: "2",
          data: { channels: [{ channel, position: { epoch: "b7Qx", offset: 41, id: "e41" } }] },
        }),
        says.server(welcome),
        says.server(connected),
        either(
          {
            label: "the history reaches back to 41",
            steps: [
              says.server({
                type: "subscribe_response",
                correlation_id: "2",
                data: {
                  success: true,
                  subscribed: [channel],
                  results: [
                    {
                      ok: true,
                      channel,
                      position: { epoch: "b7Qx", offset: 43, id: "e43" },
                      missed: [event(42), event(43)],
                    },
                  ],
                },
              }),
              answer("client", "application", `${cast.event}(event), twice`),
            ],
          },
          {
            label: "the history begins after 41",
            steps: [
              says.server({
                type: "subscribe_response",
                correlation_id: "2",
                data: {
                  success: true,
                  subscribed: [channel],
                  results: [
                    { ok: true, channel, position: { epoch: "b7Qx", offset: 43, id: "e43" }, reset: "trimmed" },
                  ],
                },
              }),
              answer("client", "application", 'onReset({ reason: "trimmed" })'),
            ],
          },
        ),
      ],
    },
    {
      id: "heartbeat",
      title: "Heartbeat",
      text:
        "The server sends a `ping` every 30 s, and any frame counts as a response. If none arrives within 10 " +
        "s more, the connection is closed. A client may send a `ping` too, for example after the machine woke " +
        "up.",
      steps: [
        says.server({ type: "ping" }),
        says.client({ type: "pong" }),
        note("server", "30 s later"),
        says.server({ type: "ping" }),
        note("client", "does not answer for 10 s"),
        close("server", "HEARTBEAT_MISSED"),
      ],
    },
    {
      id: "refusal",
      title: "Refusals",
      text:
        "An invalid message is answered with an error, and the connection stays open. If a client keeps " +
        "sending messages that are not part of the protocol, the server closes the connection. If a " +
        "connection parameter is missing or invalid, the server closes at once.",
      steps: [
        either(
          {
            label: "a connection parameter is wrong",
            steps: [upgrade, switching, close("server", "POLICY", "the parameter and the reason")],
          },
          {
            label: "a channel may not be read",
            steps: [
              says.client(subscribe),
              says.server({
                type: "subscribe_response",
                correlation_id: "2",
                data: {
                  success: false,
                  subscribed: [],
                  results: [
                    { ok: false, channel, error: { code: "FORBIDDEN", message: `You may not read ${channel}.` } },
                  ],
                },
              }),
            ],
          },
          {
            label: "an input does not match its schema",
            steps: [
              says.client(requested),
              says.server(failed("INVALID_INPUT", "input: expected object, received string.")),
            ],
          },
          {
            label: "a message is invalid",
            steps: [
              call("client", "server", "not a message"),
              says.server({ type: "error", data: { code: "BAD_MESSAGE", message: "Message: is not valid JSON." } }),
              note("client", "sends two more invalid messages within a minute"),
              close("server", "BAD_REQUEST"),
              note("client", "does not reconnect"),
            ],
          },
        ),
      ],
    },
    {
      id: "restart",
      title: "Restart of a server",
      text:
        "A server that shuts down sends each client its own delay, so that the clients do not all reconnect " +
        "in the same second. The client stays connected until the connection closes, waits for the delay, and " +
        "then resumes.",
      steps: [
        call("handler", "server", "close()"),
        says.server({ type: "goaway", data: { reason: "restart", delay_ms: 3_200 } }),
        note("client", "stays connected and stores the delay"),
        close("server", "GOING_AWAY"),
        answer("client", "application", "status: waiting, retryAt"),
        note("client", "3.2 s later"),
        upgrade,
        switching,
        says.client(auth),
        says.client(subscribe),
        says.server(welcome),
        says.server(connected),
        says.server(subscribed),
        answer("client", "application", "status: ready"),
      ],
    },
  ];
}
