import { createClient } from "@holdfast/client";
import { createServer } from "@holdfast/server";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { agents } from "./protocol.js";

// The accepted issuer and the address of its keys are fixed here. Never follow the keys that a
// token names (`jku`, `jwk`), because anybody can write a token.
const issuer = "https://login.example.com";
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));

export const server = createServer(agents, {
  authenticate: async ({ token }) => {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience: "agents", // refuses tokens that the same issuer made for other services
      algorithms: ["ES256"], // never the algorithm in the token's header, which may be `none`
      requiredClaims: ["sub", "exp"],
    });
    return { userId: payload.sub!, expiresAt: payload.exp! * 1_000, claims: payload };
  },
});
await server.listen(3000);

// The client, in another program.
export const client = createClient(agents, {
  url: "ws://localhost:3000/ws",
  // The client calls this before every attempt, and when the server announces that the token is
  // about to expire.
  token: async () => {
    const response = await fetch(`${issuer}/token`, { method: "POST", credentials: "include" });
    // The user is not logged in. The client stops with the status `unauthorized`.
    if (response.status === 401) return null;
    // The client retries with growing delays.
    if (!response.ok) throw new Error(`no token: HTTP ${response.status}`);
    return response.text();
  },
});
