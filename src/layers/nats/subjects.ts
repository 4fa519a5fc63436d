import { FoldspaceError } from "../../errors.ts";
import { MAX_ID_LENGTH } from "../../limits.ts";

/** The stream of all spaces' secrets. */
export const SECRETS_STREAM = "foldsec";
/** In the place of a tree's id: which writer owns which peer. No encoded id contains this, because `%` begins two hex digits. */
const CLAIMS = "%claims";
/** The writer of a device that has no name of its own. */
export const ANYONE = "_";

const FIRST_DIGITS = /^[0-9a-f]{2}/;

/** Number of hex digits of a space's id that choose its stream: 1 for 16 streams, 2 for 256. */
export type ShardDigits = 1 | 2;

/** The stream that keeps the spaces of a shard. */
export function streamOf(shard: string): string {
  return `fold_${shard}`;
}

/** Half of a surrogate pair without the other half. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether an id can be part of a subject. */
export function canNameSubject(id: string): boolean {
  return id.length > 0 && id.length <= MAX_ID_LENGTH && !LONE_SURROGATE.test(id);
}

/** The subjects of one space: `fold.<shard>.<space>.<tree>.<writer>`. */
export class SpaceSubjects {
  readonly stream: string;
  /** All messages of the space. */
  readonly all: string;
  /** Which writer owns which peer, by all writers. */
  readonly claims: string;
  /** All secrets of the space. */
  readonly secrets: string;
  readonly #prefix: string;
  readonly #secretsPrefix: string;

  /** @throws FoldspaceError `FOLD_BAD_ID` */
  constructor(spaceId: string, digits: ShardDigits) {
    if (!canNameSubject(spaceId)) {
      const shown = JSON.stringify(spaceId.slice(0, 80));
      throw new FoldspaceError("FOLD_BAD_ID", `The id ${shown} of the space cannot be part of a subject`);
    }
    // ids that were not made at random are few
    const shard = (FIRST_DIGITS.exec(spaceId)?.[0] ?? "00").slice(0, digits);
    this.stream = streamOf(shard);
    this.#prefix = `fold.${shard}.${toToken(spaceId)}`;
    this.#secretsPrefix = `${SECRETS_STREAM}.${toToken(spaceId)}`;
    this.all = `${this.#prefix}.>`;
    this.claims = `${this.#prefix}.${CLAIMS}.*`;
    this.secrets = `${this.#secretsPrefix}.>`;
  }

  /** Messages of a tree, by all writers. */
  tree(treeId: string): string {
    return `${this.#prefix}.${toToken(treeId)}.*`;
  }

  /** Where a writer publishes operations of a tree. */
  operations(treeId: string, writer: string): string {
    return `${this.#prefix}.${toToken(treeId)}.${toToken(writer)}`;
  }

  /** Where a writer publishes which peers it owns. */
  claim(writer: string): string {
    return `${this.#prefix}.${CLAIMS}.${toToken(writer)}`;
  }

  /** All subjects to which a writer may publish operations and claims. */
  writable(writer: string): string {
    return `${this.#prefix}.*.${toToken(writer)}`;
  }

  sealedSecrets(peerId: string): string {
    return `${this.#secretsPrefix}.sealed.${toToken(peerId)}`;
  }

  get plainSecrets(): string {
    return `${this.#secretsPrefix}.plain`;
  }

  /**
   * The parts of the subject of a message of this space.
   * @returns the tree is `undefined` for claims; `undefined` for a subject that this version does not use
   */
  parse(subject: string): { readonly treeId: string | undefined; readonly writer: string } | undefined {
    const [tree, writer, ...rest] = subject.slice(this.#prefix.length + 1).split(".");
    if (tree === undefined || writer === undefined || rest.length > 0) return undefined;
    const [treeId, name] = [tree === CLAIMS ? undefined : fromToken(tree), fromToken(writer)];
    if (name === undefined || (treeId === undefined && tree !== CLAIMS)) return undefined;
    return { treeId, writer: name };
  }

  /** The peer of the subject of sealed secrets; `undefined` for another subject. */
  peerOfSealed(subject: string): string | undefined {
    const [kind, peer] = subject.slice(this.#secretsPrefix.length + 1).split(".");
    return kind === "sealed" && peer !== undefined ? fromToken(peer) : undefined;
  }
}

/** An id as one token of a subject, in which dots, spaces and wildcards have a meaning. */
function toToken(id: string): string {
  return encodeURIComponent(id).replaceAll(/[.*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** @returns `undefined` for a token that {@link toToken} does not make, so that no id has two */
function fromToken(token: string): string | undefined {
  try {
    const id = decodeURIComponent(token);
    return toToken(id) === token ? id : undefined;
  } catch {
    return undefined;
  }
}
