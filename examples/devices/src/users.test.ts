import { expect, test } from "vitest";
import { checkPassword, findUser } from "./users.js";

test("[DX2] The right password is the user's; a wrong one, or a user that does not exist, is nobody's.", async () => {
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

test("[DX2] What is told of a user holds neither hash nor salt.", () => {
  expect(findUser("ada")).toEqual({ id: "ada", name: "Ada Lovelace" });
  expect(findUser("eve")).toBeUndefined();
});

test("[DX2] Only so many passwords are checked at once; whoever comes next is told to wait, and then finds room.", async () => {
  const results = await Promise.all(Array.from({ length: 6 }, () => checkPassword("ada", "wrong")));
  expect(results).toEqual([undefined, undefined, undefined, undefined, "busy", "busy"]);
  expect(await checkPassword("ada", "holdfast")).toMatchObject({ id: "ada" });
});
