import { type Device, NAME_LENGTH } from "../protocol.js";
import { findTrack } from "../tracks.js";
import { h, setAttributes, setText } from "@holdfast/example-kit/page/dom";
import { clock, playTime } from "./format.js";
import { icon } from "./icons.js";
import { keyedList, type Row } from "@holdfast/example-kit/page/keyed-list";
import { type Actions, type Model, playingOn } from "./model.js";

/**
 * Shows one card per device of the user: this device first, then the connected devices, then the
 * disconnected devices.
 */
export function deviceCards(host: HTMLElement, model: Model, actions: Actions): () => void {
  const count = h("span", { class: "muted" });
  const list = h("ul", { class: "cards" });
  host.append(
    h(
      "section",
      { class: "devices", "aria-labelledby": "devices-title" },
      h("div", { class: "section-head" }, h("h2", { id: "devices-title" }, "Your devices"), count),
      list,
    ),
  );
  const show = keyedList<Device>(list, (device) =>
    device.id === model.own.id ? new OwnCard(model, actions) : new OtherCard(device, model, actions),
  );
  return () => {
    const devices = [...(model.overview?.devices ?? [])];
    const rank = ({ id, online }: Device): number => (id === model.own.id ? 0 : online ? 1 : 2);
    devices.sort((one, other) => rank(one) - rank(other));
    show(devices);
    const online = devices.filter((device) => device.online).length;
    if (model.overview) setText(count, model.live ? `${online} connected` : "last known state");
  };
}

/** The common part of every card. */
class Face {
  readonly title = h("h3");
  readonly #where = h("span", { class: "where" });
  readonly #state = h("span", { class: "presence" });
  readonly #track = h("span", { class: "now" });
  readonly element = h("div", { class: "face" });
  readonly #model: Model;

  constructor({ kind }: Pick<Device, "kind">, model: Model) {
    this.#model = model;
    this.element.append(
      h("span", { class: "device-icon" }, icon(kind, 24)),
      h("div", { class: "face-text" }, this.title, h("p", {}, this.#state, " ", this.#where), this.#track),
    );
  }

  show({ id, name, online, connectedAt }: Device, where: string): void {
    const playing = playingOn(this.#model, id);
    const track = playing && findTrack(playing.trackId);
    setText(this.title, name);
    setText(this.#where, where);
    setText(this.#state, online ? `Online since ${clock(connectedAt)}` : "Just went offline");
    const at = Math.min(playing?.positionMs ?? 0, track?.lengthMs ?? 0);
    setText(this.#track, track ? `${track.title} · ${playTime(at)}` : "");
    setAttributes(this.#track, { hidden: !track });
  }
}

/** The card of this device, which can be renamed. */
class OwnCard implements Row<Device> {
  readonly element: HTMLElement;
  readonly #model: Model;
  readonly #face: Face;

  constructor(model: Model, actions: Actions) {
    this.#model = model;
    this.#face = new Face(model.own, model);
    const name = h("input", { "aria-label": "Name of this device", maxlength: NAME_LENGTH, required: true });
    const form = h(
      "form",
      { class: "rename", hidden: true },
      name,
      h("button", { type: "submit", class: "button" }, "Save"),
    );
    const edit = h("button", { type: "button", class: "icon-button small", "aria-label": "Rename this device" });
    edit.append(icon("edit", 15));
    const editing = (on: boolean): void => {
      setAttributes(form, { hidden: !on });
      setAttributes(edit, { hidden: on });
    };
    edit.addEventListener("click", () => {
      name.value = model.own.name;
      editing(true);
      name.select();
    });
    const close = (): void => {
      editing(false);
      edit.focus();
    };
    name.addEventListener("keydown", ({ key }) => key === "Escape" && close());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const wanted = name.value.trim();
      if (wanted !== "" && wanted !== model.own.name) actions.rename(wanted);
      close();
    });
    this.element = h(
      "li",
      { class: "card", "data-device": model.own.id, "data-own": true },
      this.#face.element,
      edit,
      form,
    );
  }

  show(device: Device): void {
    this.#face.show(device, "This device");
    setAttributes(this.element, {
      "data-online": device.online,
      "data-playing": playingOn(this.#model, device.id) !== undefined,
    });
  }
}

/** The card of another device, with buttons to play, to pause and to sign out. */
class OtherCard implements Row<Device> {
  readonly element: HTMLElement;
  readonly #model: Model;
  readonly #face: Face;
  readonly #here = h("button", { type: "button", class: "button primary" }, "Play here");
  readonly #pause = h("button", { type: "button", class: "button" }, "Pause");
  readonly #there = h("button", { type: "button", class: "button" }, "Play there");
  readonly #signOut = h("button", { type: "button", class: "button quiet" }, "Sign out");
  #device: Device;

  constructor(device: Device, model: Model, actions: Actions) {
    this.#device = device;
    this.#model = model;
    this.#face = new Face(device, model);
    this.#here.addEventListener("click", () => {
      const playing = playingOn(model, device.id);
      actions.play(playing?.trackId, playing?.positionMs);
    });
    this.#pause.addEventListener("click", () => actions.pauseOn(this.#device));
    this.#there.addEventListener("click", () => actions.playOn(this.#device));
    this.#signOut.addEventListener("click", () => actions.signOut(this.#device));
    const buttons = h("div", { class: "buttons" }, this.#here, this.#pause, this.#there, this.#signOut);
    this.element = h("li", { class: "card", "data-device": device.id }, this.#face.element, buttons);
  }

  show(device: Device): void {
    this.#device = device;
    const { live, overview, own } = this.#model;
    const playing = playingOn(this.#model, device.id) !== undefined;
    const ownBrowser = overview?.devices.find(({ id }) => id === own.id)?.browser;
    const sameBrowser = device.browser === ownBrowser;
    this.#face.show(device, sameBrowser ? "another tab of this browser" : "another browser");
    setAttributes(this.element, { "data-online": device.online, "data-playing": playing });
    const { name } = device;
    setAttributes(this.#here, { hidden: !playing, disabled: !live, "aria-label": `Play the track of ${name}` });
    setAttributes(this.#pause, { hidden: !playing, disabled: !live || !device.online, "aria-label": `Pause ${name}` });
    setAttributes(this.#there, { hidden: playing, disabled: !live || !device.online, "aria-label": `Play on ${name}` });
    // Tabs of this browser share one login, which "Log out" ends.
    setAttributes(this.#signOut, { hidden: sameBrowser, disabled: !live, "aria-label": `Sign out ${name}` });
  }
}
