import * as z from "zod/mini";

/** The login over plain HTTP. A page can neither read nor forge the cookie of the login. */

const user = z.object({ id: z.string(), name: z.string() });
export type User = z.output<typeof user>;
const answer = z.object({ user });
const found = z.object({ user: z.nullable(user) });
const refusal = z.object({ error: z.string() });

/**
 * Resolves to the logged-in user, or to undefined if this browser is not logged in. Rejects if the
 * server is unreachable.
 */
export async function whoAmI(): Promise<User | undefined> {
  const response = await fetch("session");
  if (!response.ok) throw new Error("The server did not return the logged-in user.");
  return found.parse(await response.json()).user ?? undefined;
}

/** Logs in, or returns one sentence with the reason of the refusal. */
export async function logIn(name: string, password: string): Promise<User | { readonly refused: string }> {
  const response = await fetch("login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user: name, password }),
  });
  const body: unknown = await response.json();
  if (response.ok) return answer.parse(body).user;
  return { refused: refusal.parse(body).error };
}

export async function logOut(): Promise<void> {
  const response = await fetch("logout", { method: "POST" });
  if (!response.ok) throw new Error("The server could not log you out.");
}
