import type { DirectOfGroup } from "@holdfast/protocol";
import type { Device, devices, Outcome } from "../protocol.js";
import { agree } from "./agree.js";
import { distinctName } from "./device-name.js";
import { type Actions, type DevicesClient, type Model, nameOf, now } from "./model.js";
import { keepName, type OwnDevice } from "./own-device.js";
import { Player } from "./player.js";

/** A command of another device, discriminated by `event`. */
type Command = DirectOfGroup<typeof devices.definition, "playback.*">;

export interface PlaybackOptions {
  readonly client: Pick<DevicesClient, "request">;
  readonly device: OwnDevice;
  readonly changed: () => void;
  readonly report: (error: unknown) => undefined;
}

/**
 * This device's part in the user's playback. The device plays, reports the playback, follows
 * commands of other devices, and adopts the server's list.
 */
export class Playback implements Actions {
  readonly model: Model;
  readonly #client: PlaybackOptions["client"];
  readonly #changed: () => void;
  readonly #report: (error: unknown) => undefined;
  #claims = 0;
  /** True if a list arrived while a claim was in flight. */
  #unread = false;
  /** True until this page has claimed playback or received a list. */
  #fresh = true;

  constructor({ client, device, changed, report }: PlaybackOptions) {
    this.model = { own: device, player: new Player(now, changed), overviewAt: 0, live: false };
    this.#client = client;
    this.#changed = changed;
    this.#report = report;
  }

  play(trackId?: string, positionMs?: number): void {
    this.model.player.play(trackId, positionMs);
    void this.#claim();
  }

  pause(): void {
    this.model.player.pause();
    this.model.note = undefined;
    this.#client.request("playback.pause").catch(this.#report);
  }

  seek(positionMs: number): void {
    const { player } = this.model;
    player.seek(positionMs);
    // The other devices show the position, so the new position is reported.
    if (player.state.playing) void this.#claim();
  }

  rename(name: string): void {
    this.#setName(name);
    this.#client.request("device.rename", { name }).catch(this.#report);
  }

  pauseOn({ id, name }: Device): void {
    const asked = this.#client.request("playback.pauseOn", { deviceId: id });
    void this.#follow(`Pausing ${name}`, asked);
  }

  playOn({ id, name }: Device): void {
    const { player } = this.model;
    const what = { trackId: player.state.track.id, positionMs: player.positionMs };
    const asked = this.#client.request("playback.playOn", { deviceId: id, ...what });
    void this.#follow(`Playing on ${name}`, asked);
  }

  signOut({ id }: Device): void {
    this.#client.request("device.signOut", { deviceId: id }).catch(this.#report);
  }

  /**
   * Follows a command of another device. When this function returns, the client acknowledges the
   * command, and the other device receives `confirmed`.
   */
  obey(command: Command): void {
    const { player } = this.model;
    const { by } = command.data;
    switch (command.event) {
      case "playback.paused":
        this.#yield(command.data.reason === "elsewhere" ? `${by.name} plays now` : `Paused by ${by.name}`);
        break;
      case "playback.started":
        player.play(command.data.trackId, command.data.positionMs);
        void this.#claim(`Started by ${by.name}`);
        break;
      default:
        command satisfies never;
    }
  }

  /**
   * Makes this device agree with the server's list in `model.overview`. Call this function after
   * every new list.
   */
  agree(): void {
    const { own, player, overview } = this.model;
    if (!overview) return;
    const { playing } = overview;
    this.#unread = this.#claims > 0;
    this.#agreeOnName(overview.devices);
    const here = { deviceId: own.id, playing: player.state.playing, claiming: this.#claims > 0, fresh: this.#fresh };
    this.#fresh = false;
    const step = agree(here, playing);
    switch (step) {
      case "pause":
        this.#yield(`${nameOf(this.model, playing?.deviceId ?? "")} plays now`);
        break;
      case "resume":
        this.play(playing?.trackId, playing?.positionMs);
        break;
      case "claim":
        void this.#claim();
        break;
      case "release":
        this.#client.request("playback.pause").catch(this.#report);
        break;
      case "nothing":
        break;
      default:
        step satisfies never;
    }
  }

  tick(): void {
    const end = this.model.player.tick();
    if (end === "next") void this.#claim();
    if (end === "ended") this.pause();
  }

  #setName(name: string): void {
    this.model.own.name = name;
    this.model.own.isNameDefault = false;
    keepName(name);
  }

  /**
   * Numbers the default name of a new tab if an earlier device has the same name. The server lists
   * the name that the page connected with, so the page reports every later name, even after a
   * restart of the server.
   */
  #agreeOnName(devices: readonly Device[]): void {
    const { own } = this.model;
    const index = devices.findIndex(({ id }) => id === own.id);
    const listed = devices[index];
    if (!listed) return;
    const earlier = devices.slice(0, index).map(({ name }) => name);
    if (own.isNameDefault) this.#setName(distinctName(own.name, earlier));
    if (listed.name !== own.name) this.rename(own.name);
  }

  #yield(note: string): void {
    this.model.player.pause();
    this.model.note = note;
    // The earlier results of the other devices no longer describe their state.
    this.model.delivery = undefined;
    this.#changed();
  }

  /**
   * Tells the server that this device plays. The server pauses the other devices and returns their
   * results.
   */
  async #claim(note?: string): Promise<void> {
    const { player } = this.model;
    this.model.note = note;
    this.#fresh = false;
    this.#claims++;
    const claim = { trackId: player.state.track.id, positionMs: player.positionMs };
    const settled = await this.#follow("Pausing the others", this.#client.request("playback.play", claim));
    this.#claims--;
    // A list that arrived during the claim was ignored and is read now. A failed claim is repeated
    // with the next list and not at once.
    if (settled && this.#unread) this.agree();
  }

  /**
   * Shows that devices are being asked, and later the result. Resolves to true if the request
   * succeeded.
   */
  async #follow(title: string, asked: Promise<{ readonly report: readonly Outcome[] }>): Promise<boolean> {
    const others = this.model.overview?.devices.some(({ id, online }) => online && id !== this.model.own.id);
    if (others) this.model.delivery = { title };
    this.#changed();
    const answer = await asked.catch(this.#report);
    if (others || answer?.report.length) this.model.delivery = { title, report: answer?.report ?? [] };
    this.#changed();
    return answer !== undefined;
  }
}
