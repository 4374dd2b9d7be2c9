import { findTrack, nextTrack, type Track, tracks } from "../tracks.js";

export interface PlayerState {
  readonly track: Track;
  readonly playing: boolean;
}

/**
 * This device's player: a track, and a clock that runs while the track plays. A real player has an
 * audio element instead of the clock.
 */
export class Player {
  readonly #now: () => number;
  readonly #onChange: () => void;
  #state: PlayerState = { track: tracks[0] as Track, playing: false };
  /** The position at `#since`. */
  #positionMs = 0;
  #since = 0;

  constructor(now: () => number, onChange: () => void) {
    this.#now = now;
    this.#onChange = onChange;
  }

  /** The current state. The object stays the same as long as only the time passes. */
  get state(): PlayerState {
    return this.#state;
  }

  get positionMs(): number {
    const passed = this.#state.playing ? this.#now() - this.#since : 0;
    return Math.min(this.#state.track.lengthMs, Math.round(this.#positionMs + passed));
  }

  /** Continues to play, or plays from another position. Ignores a track that does not exist. */
  play(trackId = this.#state.track.id, positionMs = this.positionMs): void {
    const track = findTrack(trackId);
    if (track) this.#set({ track, playing: true }, positionMs);
  }

  pause(): void {
    if (this.#state.playing) this.#set({ ...this.#state, playing: false }, this.positionMs);
  }

  seek(positionMs: number): void {
    this.#set({ ...this.#state }, positionMs);
  }

  /** Changes the track. The player keeps playing or stays paused. */
  select(track: Track): void {
    this.#set({ track, playing: this.#state.playing }, 0);
  }

  /**
   * Call this function often. At the end of a track the next track starts. At the end of the last
   * track the player stops.
   */
  tick(): "goes_on" | "next" | "ended" {
    const { track, playing } = this.#state;
    if (!playing || this.positionMs < track.lengthMs) return "goes_on";
    const next = nextTrack(track.id);
    if (next) this.#set({ track: next, playing: true }, 0);
    else this.#set({ track, playing: false }, 0);
    return next ? "next" : "ended";
  }

  #set(state: PlayerState, positionMs: number): void {
    this.#state = state;
    this.#positionMs = Math.max(0, Math.min(state.track.lengthMs, positionMs));
    this.#since = this.#now();
    this.#onChange();
  }
}
