import { type Cast, type DiagramScript } from "./cast.js";
import { answer, call, close, either, note, says, type Sequence } from "./sequence.js";

/** The sequences about users, devices and credentials. */
export function identitySequences(cast: Cast, script: DiagramScript): readonly Sequence[] {
  const { direct, presence } = cast;
  return [
    ...credentialSequences(cast, script),
    ...(direct ? [deviceSequence(direct)] : []),
    ...(presence ? [presenceSequence(presence)] : []),
  ];
}

function credentialSequences({ channel }: Cast, { auth, welcome, connected }: DiagramScript): readonly Sequence[] {
  return [
    {
      id: "renew-a-credential",
      title: "Renew a credential",
      text:
        "The server asks for a new credential 30 s before the old credential expires by the server's clock, then every 10 s. The connection stays open. If the new credential no longer allows a channel, the server ends that " +
        "subscription and sends the reason.",
      steps: [
        says.server({ type: "auth_expiring", data: { expires_at: 1_800_000_030_000 } }),
        call("client", "application", "token()"),
        answer("application", "client", "a fresh token"),
        says.client(auth),
        either(
          {
            label: "the token is valid",
            steps: [
              says.server(welcome),
              call("server", "handler", "authorize, for each joined channel"),
              says.server({
                type: "unsubscribed",
                channel,
                data: { code: "FORBIDDEN", message: `You may not join ${channel}.` },
              }),
            ],
          },
          {
            label: "no token arrives within 25 s after the expiry",
            steps: [close("server", "UNAUTHENTICATED"), note("client", "fetches a new token, then connects again")],
          },
        ),
      ],
    },
    {
      id: "continue-a-session",
      title: "Continue a session",
      text:
        "A client that reconnects names its session. If the user is the same, the session continues, even if " +
        "the server has not noticed yet that the old connection is dead. The id grants no rights: the server " +
        "checks the credential and authorises each channel again.",
      steps: [
        note("client", "reconnects after a network failure; the server has not closed the old connection yet"),
        says.client({
          type: "auth",
          correlation_id: "1",
          data: { token: "eyJhbGciOiJFZERTQSJ9…", session_id: "s_4fQm0cR2Vb8TzKx1Yw9u3A" },
        }),
        says.server(welcome),
        note("server", "closes the old connection with 4409"),
        says.server({ ...connected, data: { ...connected.data, resumed: true } }),
      ],
    },
  ];
}

function deviceSequence({ event, data }: NonNullable<Cast["direct"]>): Sequence {
  return {
    id: "send-to-devices",
    title: "Send to a user's devices",
    text:
      "A direct event goes to the devices of a user, whether or not they have joined a channel. With `ack`, " +
      "the sender receives a result for each device, which says whether its handlers have finished.",
    steps: [
      call("handler", "server", `user("u1").send("${event}", …, { ack: true })`),
      says.server({
        type: "event",
        channel: "$user",
        event,
        ...(data !== undefined && { data }),
        metadata: { id: "p3Vd8s", ack: true },
      }),
      either(
        {
          label: "the handler finishes",
          steps: [
            call("client", "application", "direct.on(…)"),
            answer("application", "client", "done"),
            says.client({ type: "ack", data: { id: "p3Vd8s" } }),
            answer("server", "handler", "delivered"),
          ],
        },
        {
          label: "the client has no handler",
          steps: [
            says.client({ type: "ack", data: { id: "p3Vd8s", failure: "not_handled" } }),
            answer("server", "handler", "failed: not_handled"),
          ],
        },
        {
          label: "a newer connection of the device replaces this connection",
          steps: [close("server", "REPLACED"), answer("server", "handler", "failed: disconnected")],
        },
      ),
    ],
  };
}

function presenceSequence({ channel, data: said }: NonNullable<Cast["presence"]>): Sequence {
  const { data, meta } = said;
  const shown = { ...(data !== undefined && { data }), ...(meta !== undefined && { meta }) };
  const nobody = { joined: [], updated: [], left: [] };
  return {
    id: "presence",
    title: "Presence",
    text:
      "On a channel with presence, a snapshot follows the response to `subscribe`. Changes follow in " +
      "batches. Other members see the presence data that the client sent, or the data that the server put " +
      "in its place.",
    steps: [
      says.client({ type: "subscribe", correlation_id: "2", data: { channels: [channel] } }),
      says.client({ type: "set_presence", correlation_id: "5", channel, ...shown }),
      says.server({
        type: "subscribe_response",
        correlation_id: "2",
        data: { success: true, subscribed: [channel], results: [{ ok: true, channel }] },
      }),
      says.server({
        type: "presence",
        channel,
        data: { ...nobody, kind: "snapshot", count: 0 },
      }),
      note("server", "200 ms later, to all members"),
      says.server({
        type: "presence",
        channel,
        data: {
          ...nobody,
          kind: "change",
          joined: [{ user_id: "u1", devices: ["phone"], ...shown }],
          count: 1,
        },
      }),
    ],
  };
}
