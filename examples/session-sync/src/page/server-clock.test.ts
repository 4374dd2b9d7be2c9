import { expect, test } from "vitest";
import { ServerClock } from "./server-clock.js";

/**
 * A ServerClock on a computer whose two clocks the test sets, and a server that answers when the
 * test says so.
 */
function computer() {
  const own = { date: 1_000_000, steady: 5_000 };
  const questions: { answer: (at: number) => void; fail: () => void }[] = [];
  const clock = new ServerClock(
    { date: () => own.date, steady: () => own.steady },
    () =>
      new Promise((resolve, reject) =>
        questions.push({ answer: (at) => resolve(new Date(at)), fail: () => reject(new Error("no answer")) }),
      ),
  );
  const pass = (ms: number): void => {
    own.date += ms;
    own.steady += ms;
  };
  return { own, questions, clock, pass };
}
/** The same computer after a first measurement, at which the server's time is 5,000,000. */
async function measured() {
  const all = computer();
  const done = all.clock.measure();
  all.questions[0]!.answer(5_000_000);
  await done;
  return all;
}
const settled = (): Promise<void> => Promise.resolve().then(() => Promise.resolve());

test("[SX14] now follows the server's clock, corrected by half of the round trip", async () => {
  const { clock, questions, pass } = computer();
  expect(clock.now).toBe(1_000_000);
  const done = clock.measure();
  pass(40);
  questions[0]!.answer(5_000_000);
  await done;
  expect(clock.now).toBe(5_000_020);
  pass(1_000);
  expect(clock.now).toBe(5_001_020);
});

test("[SX14] after the computer's clock was set forwards or back, now continues unchanged and the server is asked once", async () => {
  const { clock, own, questions, pass } = await measured();
  for (const [set, count] of [
    [3_600_000, 2],
    [-7_200_000, 3],
  ] as const) {
    own.date += set;
    pass(250);
    const before = clock.now;
    clock.check();
    clock.check();
    expect([questions.length, clock.now]).toEqual([count, before]);
    questions.at(-1)!.answer(before);
    await settled();
    clock.check();
    expect([questions.length, clock.now]).toEqual([count, before]);
  }
  expect(clock.now).toBe(5_000_500);
});

test("[SX14] after the computer has slept, the server is asked again and now follows its answer", async () => {
  const { clock, own, questions, pass } = await measured();
  own.date += 600_000;
  pass(250);
  clock.check();
  questions[1]!.answer(5_600_250);
  await settled();
  expect(clock.now).toBe(5_600_250);
});

test("[SX14] if the two clocks differ by less than 250 ms, the server is not asked", async () => {
  const { clock, own, questions, pass } = await measured();
  for (let times = 0; times < 100; times++) {
    pass(250);
    own.date += 2;
    clock.check();
  }
  expect(questions).toHaveLength(1);
});

test("[SX14] a failed question changes nothing and is repeated at the next check", async () => {
  const { clock, own, questions, pass } = await measured();
  own.date += 3_600_000;
  clock.check();
  questions[1]!.fail();
  await settled();
  pass(250);
  expect(clock.now).toBe(5_000_250);
  clock.check();
  questions[2]!.answer(5_000_300);
  await settled();
  expect(clock.now).toBe(5_000_300);
});

test("[SX14] if the computer's clock is set while a question is in flight, the question is repeated", async () => {
  const { clock, own, questions } = await measured();
  const done = clock.measure();
  own.date += 600_000;
  questions[1]!.answer(5_000_000);
  await done;
  clock.check();
  expect(questions).toHaveLength(3);
});

test("[SX14] a late answer to an earlier question is ignored", async () => {
  const { clock, questions, pass } = computer();
  const lost = clock.measure();
  pass(20_000);
  const done = clock.measure();
  clock.check();
  expect(questions).toHaveLength(2);
  questions[0]!.answer(7_000_000);
  await lost;
  expect(clock.now).toBe(1_020_000);
  questions[1]!.answer(7_000_010);
  await done;
  expect(clock.now).toBe(7_000_010);
});
