import { expect, test } from "vitest";
import { checkPassword, findUser } from "./users.js";

test("[DX2] checkPassword returns the user for the right password, and undefined for a wrong password or an unknown user", async () => {
  expect(await checkPassword("ada", "holdfast")).toEqual({ id: "ada", name: "Ada Lovelace" });
  expect(await checkPassword("grace", "holdfast")).toEqual({ id: "grace", name: "Grace Hopper" });
  for (const [user, password] of [
    ["ada", "Holdfast"],
    ["ada", ""],
    ["eve", "holdfast"],
    ["", "holdfast"],
    ["constructor", "holdfast"],
  ] as const) {
    expect(await checkPassword(user, password), user).toBeUndefined();
  }
});

test("[DX2] findUser returns a user without hash and salt", () => {
  expect(findUser("ada")).toEqual({ id: "ada", name: "Ada Lovelace" });
  expect(findUser("eve")).toBeUndefined();
});

test("[DX2] checkPassword answers busy while four checks run, and checks again afterwards", async () => {
  const results = await Promise.all(Array.from({ length: 6 }, () => checkPassword("ada", "wrong")));
  expect(results).toEqual([undefined, undefined, undefined, undefined, "busy", "busy"]);
  expect(await checkPassword("ada", "holdfast")).toMatchObject({ id: "ada" });
});
