/**
 * A track of the example. The players make no sound: a player is a clock here, and the example
 * shows how several players agree.
 */
export interface Track {
  readonly id: string;
  readonly title: string;
  readonly artist: string;
  readonly lengthMs: number;
}

export const tracks: readonly Track[] = [
  { id: "harbour-lights", title: "Harbour Lights", artist: "The Night Ferries", lengthMs: 214_000 },
  { id: "paper-planets", title: "Paper Planets", artist: "Orrery", lengthMs: 187_000 },
  { id: "slow-train-north", title: "Slow Train North", artist: "Ida Falk", lengthMs: 263_000 },
  { id: "seven-bridges", title: "Seven Bridges", artist: "Königsberg Quartet", lengthMs: 228_000 },
  { id: "tin-roof-rain", title: "Tin Roof Rain", artist: "Marlow & Finch", lengthMs: 171_000 },
  { id: "first-light", title: "First Light", artist: "Auroral", lengthMs: 242_000 },
];

const byId = new Map(tracks.map((track) => [track.id, track]));

export function findTrack(id: string): Track | undefined {
  return byId.get(id);
}

/** The next track. Undefined after the last track. */
export function nextTrack(id: string): Track | undefined {
  return neighbour(id, 1);
}

/** The previous track. Undefined before the first track. */
export function previousTrack(id: string): Track | undefined {
  return neighbour(id, -1);
}

function neighbour(id: string, distance: number): Track | undefined {
  const index = tracks.findIndex((track) => track.id === id);
  return index === -1 ? undefined : tracks[index + distance];
}
