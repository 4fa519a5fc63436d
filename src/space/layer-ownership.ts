import type { Clock } from "../clock.ts";
import { FoldspaceError } from "../errors.ts";
import { describeLayer, type PersistenceLayer } from "../layers/persistence-layer.ts";
import { completesInTime } from "../with-timeout.ts";

interface Claim {
  /** Whether its owner is about to release it. */
  isEnding: boolean;
  readonly released: Promise<void>;
}

/** The right of one space to use a layer. */
export interface LayerClaim {
  /** Announces the release: callers that wait for the layer continue to wait. */
  end(): void;
  release(): void;
}

/**
 * How long a second user waits for a layer whose owner has not announced its release, in milliseconds: a component that is
 * mounted again often asks for the space just before the previous one closes it.
 */
const WAIT_FOR_OWNER_MS = 2_000;

/** One registry for all copies of this package in a program, because they may share layers. */
const REGISTRY = Symbol.for("foldspace.layer-claims");

function registry(): WeakMap<PersistenceLayer, Claim> {
  const holder = globalThis as { [REGISTRY]?: WeakMap<PersistenceLayer, Claim> };
  return (holder[REGISTRY] ??= new WeakMap());
}

/**
 * Makes the caller the only user of a layer, until it releases it. Waits for an owner that is closing, or is about to.
 * @param timeoutMs longest wait for an owner that is closing
 * @throws FoldspaceError `FOLD_IN_USE`; `FOLD_TIMEOUT` if the owner is closing and the layer has not answered to that yet: a later
 *   call may succeed
 */
export async function claimLayer(layer: PersistenceLayer, clock: Clock, timeoutMs: number): Promise<LayerClaim> {
  const claims = registry();
  for (let claim = claims.get(layer); claim; claim = claims.get(layer)) {
    if (!claim.isEnding && (await completesInTime(claim.released, WAIT_FOR_OWNER_MS, clock))) continue;
    if (claim.isEnding) {
      if (await completesInTime(claim.released, timeoutMs, clock)) continue;
      throw new FoldspaceError(
        "FOLD_TIMEOUT",
        `${describeLayer(layer)} is still being closed by the space that used it before (waited ${timeoutMs} ms)`,
      );
    }
    throw new FoldspaceError(
      "FOLD_IN_USE",
      `${describeLayer(layer)} is in use by another open space: give each a layer of its own`,
    );
  }
  let resolve: (() => void) | undefined;
  const claim: Claim = { isEnding: false, released: new Promise<void>((done) => (resolve = done)) };
  claims.set(layer, claim);
  return {
    end: () => void (claim.isEnding = true),
    release: () => {
      if (claims.get(layer) === claim) claims.delete(layer);
      resolve?.();
    },
  };
}
