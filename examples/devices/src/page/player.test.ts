import { expect, test, vi } from "vitest";
import { nextTrack, previousTrack, tracks } from "../tracks.js";
import { Player } from "./player.js";

function make() {
  const time = { now: 5_000 };
  const changed = vi.fn();
  return { time, changed, player: new Player(() => time.now, changed) };
}

test("[DX7] a new player is paused on the first track, and the position advances only while the player plays", () => {
  const { time, player } = make();
  expect(player.state).toEqual({ track: tracks[0], playing: false });
  player.play();
  time.now += 3_000;
  expect(player.positionMs).toBe(3_000);
  player.pause();
  time.now += 9_000;
  expect(player.positionMs).toBe(3_000);
  player.play();
  time.now += 1_000;
  expect(player.positionMs).toBe(4_000);
});

test("[DX7] play starts a track at a position, an unknown track changes nothing, and seek stays within the track", () => {
  const { player, changed } = make();
  player.play("paper-planets", 60_000);
  expect([player.state.track.id, player.positionMs]).toEqual(["paper-planets", 60_000]);
  player.play("no-such-track", 1);
  expect([player.state.track.id, player.positionMs]).toEqual(["paper-planets", 60_000]);
  player.seek(10_000_000);
  expect(player.positionMs).toBe(187_000);
  player.seek(-1);
  expect([player.positionMs, player.state.playing]).toEqual([0, true]);
  expect(changed).toHaveBeenCalledTimes(3);
});

test("[DX7] tick starts the next track at the end of a track, and stops after the last track", () => {
  const { time, player } = make();
  player.play();
  expect(player.tick()).toBe("goes_on");
  time.now += tracks[0]?.lengthMs ?? 0;
  expect(player.tick()).toBe("next");
  expect([player.state.track, player.positionMs, player.state.playing]).toEqual([tracks[1], 0, true]);
  const last = tracks.at(-1);
  player.play(last?.id, (last?.lengthMs ?? 0) - 100);
  time.now += 100;
  expect(player.tick()).toBe("ended");
  expect([player.state.playing, player.positionMs]).toEqual([false, 0]);
  expect(player.tick()).toBe("goes_on");
});

test("[DX7] select shows a track from its beginning, and a paused player stays paused", () => {
  const { player } = make();
  player.seek(50_000);
  player.select(tracks[2]!);
  expect([player.state.track, player.positionMs, player.state.playing]).toEqual([tracks[2], 0, false]);
});

test("[DX7] previousTrack and nextTrack return the neighbours of a track, and undefined at both ends", () => {
  expect(previousTrack(tracks[0]!.id)).toBeUndefined();
  expect(nextTrack(tracks[0]!.id)).toBe(tracks[1]);
  expect(previousTrack(tracks[1]!.id)).toBe(tracks[0]);
  expect(nextTrack(tracks.at(-1)!.id)).toBeUndefined();
  expect(nextTrack("no-such-track")).toBeUndefined();
});
