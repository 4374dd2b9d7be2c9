import { createServer } from "@holdfast/server";
import { rooms } from "./room-protocol.js";

/** Stands in for a database table: the names of users by their token. */
const names: Record<string, string> = { "token-ada": "Ada", "token-grace": "Grace" };

export const server = createServer(rooms, {
  authenticate: ({ token = "" }) => {
    const name = names[token];
    if (name === undefined) throw new Error("unknown token");
    return { userId: name.toLowerCase(), claims: { name } };
  },
  presence: {
    // A client may claim any name, so the server takes the name from the identity.
    room: ({ identity, data }) => data && { ...data, name: identity.claims.name },
  },
});

/** Rings on the devices of a user, and returns the devices on which the page has shown the call. */
export async function ring(userId: string, from: string): Promise<readonly string[]> {
  const { delivered, failed } = await server
    .user(userId)
    .send("call.ringing", { from }, { ack: true, timeoutMs: 2_000 });
  for (const { deviceId, reason } of failed) console.log(`no answer from ${deviceId}: ${reason}`);
  return delivered;
}
