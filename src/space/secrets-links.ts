import type { Clock } from "../clock.ts";
import { FoldspaceError } from "../errors.ts";
import { describeLayer, type PersistenceLayer } from "../layers/persistence-layer.ts";
import type { SecretsModel } from "./secrets-model.ts";
import type { NotDurable } from "./layer-connection.ts";
import { completesInTime } from "../with-timeout.ts";
import { SecretsLink, type SecretsSource } from "./secrets-link.ts";
import { SecretsUpdates } from "./secrets-updates.ts";

export interface LinksOptions {
  readonly isReadOnly: boolean;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Receives the events of the links. */
export interface LinksListener {
  /** Something was read. */
  received(): void;
  /** The error of a link has appeared or disappeared. */
  publish(): void;
}

const MAX_ROUNDS = 3;

/** The layers that keep the secrets: decides when to read and save them, and reports whether they have everything. */
export class SecretsLinks {
  readonly #model: SecretsModel;
  readonly #options: LinksOptions;
  readonly #updates: SecretsUpdates;
  readonly #source: SecretsSource;
  readonly #links = new Map<PersistenceLayer, SecretsLink>();

  constructor(model: SecretsModel, listener: LinksListener, options: LinksOptions) {
    this.#model = model;
    this.#options = options;
    this.#updates = new SecretsUpdates(model, options.clock);
    this.#source = {
      receive: async (link, stored) => {
        await model.receive(link, stored);
        listener.received();
      },
      pendingSave: async (link) => (options.isReadOnly ? undefined : await this.#updates.for(link)),
      publish: () => listener.publish(),
    };
  }

  /** The reasons why layers could not be read or saved to. */
  get errors(): FoldspaceError[] {
    return this.#all.flatMap(({ error }) => error ?? []);
  }

  /** Begins to keep the secrets in a layer, once. Failures are in {@link errors}, and are retried. */
  async open(layer: PersistenceLayer): Promise<void> {
    let link = this.#links.get(layer);
    if (!link) this.#links.set(layer, (link = new SecretsLink(layer, this.#source, this.#options.clock)));
    await link.open();
  }

  /** Stops using a layer. @returns whether it was in use */
  drop(layer: PersistenceLayer): boolean {
    const link = this.#links.get(layer);
    if (!link) return false;
    link.close();
    this.#links.delete(layer);
    this.#model.forget(link);
    return true;
  }

  close(): void {
    for (const link of this.#all) link.close();
  }

  /** Reads all layers. The wait is limited by the timeout, because nothing else can be done meanwhile. */
  async reload(): Promise<void> {
    const loading = Promise.all(this.#all.map(async (link) => await link.load()));
    await completesInTime(loading, this.#options.timeoutMs, this.#options.clock);
  }

  /** Saves to all layers after a delay, without a check of what they lack. */
  saveLater(): void {
    for (const link of this.#all) link.saveLater();
  }

  /** As {@link saveLater}, for the layers that lack something. */
  saveLackingLater(): void {
    if (this.#options.isReadOnly) return;
    for (const link of this.#all) {
      if (this.#updates.isNeededBy(link)) link.saveLater();
      else if (link.isGone) link.restoreLater();
    }
  }

  /** Begins to save to all layers, without waiting for anything. */
  saveNow(): void {
    void this.#saveAll(this.#all);
  }

  /** Saves everything, to one layer or all. @returns the layers that lack something, and why */
  async flush(only?: PersistenceLayer): Promise<NotDurable[]> {
    const links = this.#all.filter(({ layer }) => only === undefined || layer === only);
    const saving = this.#saveAll(links);
    const isInTime = await completesInTime(saving, this.#options.timeoutMs, this.#options.clock);
    return isInTime ? await saving : this.#lackingIn(links, new FoldspaceError("FOLD_TIMEOUT", "the layer timed out"));
  }

  /** The layers that lack something. */
  get lacking(): NotDurable[] {
    return this.#lackingIn(this.#all);
  }

  /** Whether these are all the layers that keep secrets. */
  areAll(layers: readonly NotDurable[]): boolean {
    return layers.length > 0 && layers.length === this.#links.size;
  }

  get #all(): SecretsLink[] {
    return [...this.#links.values()];
  }

  /**
   * One layer's save may give another layer something to save, so this saves to all until none needs it.
   * @returns the layers that lack something then
   */
  async #saveAll(links: readonly SecretsLink[]): Promise<NotDurable[]> {
    if (this.#options.isReadOnly) return [];
    let unsaved = links;
    for (let round = 0; round < MAX_ROUNDS && unsaved.length > 0; round++) {
      await Promise.all(unsaved.map(async (link) => await link.save()));
      unsaved = links.filter((link) => (this.#updates.isNeededBy(link) || link.isGone) && !link.error);
    }
    return this.#lackingIn(links);
  }

  /** @param otherwise the reason for a layer that lacks something but has not failed */
  #lackingIn(
    links: readonly SecretsLink[],
    otherwise: FoldspaceError = new FoldspaceError("FOLD_BUSY", "other devices keep changing them"),
  ): NotDurable[] {
    if (this.#options.isReadOnly) return [];
    const lacking: NotDurable[] = [];
    for (const link of links) {
      if (!this.#updates.isLackingIn(link)) continue;
      const { code, message } = link.error ?? otherwise;
      const pendingOps = this.#updates.changesIn(link);
      const reason = `its secrets could not be saved: ${message}`;
      lacking.push({ id: link.layer.id, label: describeLayer(link.layer), pendingOps, code, reason });
    }
    return lacking;
  }
}
