import { nextTrack, previousTrack, type Track, tracks } from "../tracks.js";
import { cover } from "./cover.js";
import { h, setAttributes, setText } from "@holdfast/example-kit/page/dom";
import { playTime } from "./format.js";
import { icon, type IconName } from "./icons.js";
import type { Actions, Model } from "./model.js";

/** Shows this device's player: the current track, the position, and the list of tracks. */
export function playerPanel(host: HTMLElement, model: Model, actions: Actions): () => void {
  const { player } = model;
  const picture = h("div", { class: "player-cover" });
  const title = h("h2", { id: "player-title" });
  const artist = h("p", { class: "artist" });
  const note = h("p", { class: "player-note", role: "status" });

  const position = h("input", { type: "range", class: "position", min: 0, step: 1_000, "aria-label": "Position" });
  const passed = h("span", { class: "time" });
  const length = h("span", { class: "time" });
  position.addEventListener("change", () => actions.seek(Number(position.value)));

  const jump = (track: Track | undefined): void => {
    if (!track) return;
    if (player.state.playing) actions.play(track.id, 0);
    else player.select(track);
  };
  const previous = round("previous", "Previous track", () => jump(previousTrack(player.state.track.id)));
  const next = round("next", "Next track", () => jump(nextTrack(player.state.track.id)));
  const toggle = round("play", "Play", () => (player.state.playing ? actions.pause() : actions.play()));
  toggle.classList.add("toggle");

  const rows = tracks.map((track) => trackRow(track, () => actions.play(track.id, 0)));
  host.append(
    h(
      "section",
      { class: "player panel", "aria-labelledby": "player-title" },
      picture,
      h(
        "div",
        { class: "player-body" },
        h("div", { class: "player-text" }, note, title, artist),
        h("div", { class: "progress" }, passed, position, length),
        h("div", { class: "transport" }, previous, toggle, next),
      ),
    ),
    h(
      "section",
      { class: "tracks panel", "aria-labelledby": "tracks-title" },
      h("h2", { id: "tracks-title" }, "Tracks"),
      h("ol", {}, ...rows.map(({ element }) => element)),
    ),
  );

  let shown: Track | undefined;
  return () => {
    const { track, playing } = player.state;
    if (track !== shown) {
      picture.replaceChildren(cover(track.id));
      setText(title, track.title);
      setText(artist, track.artist);
      setText(length, playTime(track.lengthMs));
      setAttributes(position, { max: track.lengthMs });
      shown = track;
    }
    setAttributes(host, { "data-playing": playing });
    setText(note, playing ? (model.note ?? "Playing here") : (model.note ?? "Paused"));
    setAttributes(note, { "data-playing": playing });

    const at = player.positionMs;
    setText(passed, playTime(at));
    // The slider must not move while the user drags it.
    if (!position.matches(":active")) position.value = String(at);
    position.style.setProperty("--part", `${(100 * at) / track.lengthMs}%`);
    setAttributes(position, { "aria-valuetext": `${playTime(at)} of ${playTime(track.lengthMs)}` });

    if (toggle.dataset["shows"] !== (playing ? "pause" : "play")) {
      toggle.dataset["shows"] = playing ? "pause" : "play";
      toggle.replaceChildren(icon(playing ? "pause" : "play", 26));
      setAttributes(toggle, { "aria-label": playing ? "Pause" : "Play" });
    }
    setAttributes(previous, { disabled: !previousTrack(track.id) });
    setAttributes(next, { disabled: !nextTrack(track.id) });
    for (const row of rows) row.show(row.track === track, playing);
  };
}

function round(name: IconName, label: string, press: () => void): HTMLButtonElement {
  const button = h("button", { type: "button", class: "round", "aria-label": label }, icon(name));
  button.addEventListener("click", press);
  return button;
}

function trackRow(track: Track, press: () => void) {
  const button = h("button", { type: "button", class: "track", "aria-label": `Play ${track.title} here` });
  const bars = h("span", { class: "bars", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
  button.append(
    cover(track.id),
    h("span", { class: "track-name" }, h("strong", {}, track.title), h("span", { class: "muted" }, track.artist)),
    bars,
    h("span", { class: "time" }, playTime(track.lengthMs)),
  );
  button.addEventListener("click", press);
  const element = h("li", { "data-track": track.id }, button);
  return {
    track,
    element,
    show(current: boolean, playing: boolean): void {
      setAttributes(element, { "data-current": current, "data-playing": current && playing });
      setAttributes(button, { "aria-current": current ? "true" : undefined });
    },
  };
}
