import { scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

export interface User {
  readonly id: string;
  readonly name: string;
}

/** The stored form of a password. A real application has it in a database. */
interface Account extends User {
  readonly salt: string;
  readonly hash: string;
}

/**
 * How many checks may run at once. Each check takes 16 MB and a thread of the pool for 50 ms.
 * scrypt is slow on purpose, so that an attacker can try only few passwords.
 */
const AT_ONCE = 4;

const accounts: readonly Account[] = [
  {
    id: "ada",
    name: "Ada Lovelace",
    salt: "Kaw-Nb1wN2bWkG8hvLo1Qg",
    hash: "Yu4kPlrV+wFw4o2sIIXSKdusLpXqplthpcXVBvEnCGc=",
  },
  {
    id: "grace",
    name: "Grace Hopper",
    salt: "N0mopUktcot2LsGymO6nrg",
    hash: "AC87toVD6+bqb5Y1hrr8hZC0m7Td1yDNmJvzVVK4FT0=",
  },
];
/**
 * The account that is checked if the user does not exist, so that the answer takes equally long and
 * does not reveal which users exist.
 */
const nobody: Account = { id: "", name: "", salt: "bm9ib2R5IG5vYm9keSBubw", hash: Buffer.alloc(32).toString("base64") };

const derive = promisify<string, string, number, Buffer>(scrypt);
let running = 0;

export function findUser(id: string): User | undefined {
  const account = accounts.find((one) => one.id === id);
  return account && { id: account.id, name: account.name };
}

/**
 * Resolves to the user, or to undefined if the user name or the password is wrong. `busy` means
 * that too many checks are running.
 */
export async function checkPassword(id: string, password: string): Promise<User | "busy" | undefined> {
  if (running >= AT_ONCE) return "busy";
  const account = accounts.find((one) => one.id === id) ?? nobody;
  running++;
  try {
    const derived = await derive(password, account.salt, 32);
    return timingSafeEqual(derived, Buffer.from(account.hash, "base64")) ? findUser(account.id) : undefined;
  } finally {
    running--;
  }
}
