/** Names that blocks use without declaring them, because their sentences introduce them. */
export interface Surrounding {
  readonly type: string;
  /** The value in Node, as an expression. Without one, blocks that use the name are compiled and not run. */
  readonly value?: string;
}

export const SURROUNDINGS: Readonly<Record<string, Surrounding>> = {
  advise: { type: "(text: string) => void", value: "() => undefined" },
  directoryHandle: { type: "FileSystemDirectoryHandle" },
  folderLayer: { type: 'import("foldspace").PersistenceLayer' },
  id: { type: "string", value: '"notes"' },
  layers: {
    type: 'import("foldspace").PersistenceLayer[]',
    value: '[new (await import("foldspace")).MemoryPersistenceLayer("notes")]',
  },
  manager: { type: 'import("foldspace").SpaceManager', value: 'new (await import("foldspace")).SpaceManager()' },
  passphrase: { type: "string", value: '"correct horse battery staple"' },
  refresh: { type: "(names: readonly string[]) => void", value: "() => undefined" },
  render: { type: "(children: readonly unknown[]) => void", value: "() => undefined" },
  space: { type: 'import("foldspace").Space', value: 'await (await import("foldspace")).openFolder("space")' },
};

/** The entries of `SURROUNDINGS` that a block uses and does not declare. */
export function surroundingsOf(code: string): [name: string, surrounding: Surrounding][] {
  return Object.entries(SURROUNDINGS).filter(([name]) => {
    const isDeclared = new RegExp(`\\b(?:const|let|import) [^=;]*\\b${name}\\b`).test(code);
    return !isDeclared && new RegExp(`(?<![.\\w"$-])${name}(?![\\w"-])`).test(code);
  });
}
