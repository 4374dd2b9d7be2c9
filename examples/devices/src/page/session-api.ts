import * as z from "zod/mini";

/** Who is logged in, by plain HTTP: it is a cookie that a page can neither read nor forge. */

const user = z.object({ id: z.string(), name: z.string() });
export type User = z.output<typeof user>;
const answer = z.object({ user });
const found = z.object({ user: z.nullable(user) });
const refusal = z.object({ error: z.string() });

/** Undefined: nobody is logged in. Rejects where the server cannot be asked. */
export async function whoAmI(): Promise<User | undefined> {
  const response = await fetch("session");
  if (!response.ok) throw new Error("The server could not say who is logged in.");
  return found.parse(await response.json()).user ?? undefined;
}

/** Logs in, or says in one sentence why not. */
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
