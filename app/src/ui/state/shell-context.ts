import type { SpacePointer } from "foldspace";
import { getContext, setContext } from "svelte";
import type { OpenFolder } from "../../session/folder-source.ts";
import type { Workspace } from "./workspace.svelte.ts";

/** The context that all parts of the page share. */
export interface ShellContext {
  readonly workspace: Workspace;
  readonly openSpace: (pointer: SpacePointer, folder?: OpenFolder) => Promise<void>;
  readonly newSpace: (name: string) => Promise<void>;
  /** Announces a text to users of screen readers. */
  readonly announce: (text: string) => void;
}

const KEY = Symbol("shell");

export function provideShell(shell: ShellContext): ShellContext {
  return setContext(KEY, shell);
}

export function useShell(): ShellContext {
  return getContext<ShellContext>(KEY);
}
