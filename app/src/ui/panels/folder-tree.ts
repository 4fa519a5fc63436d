/** A folder or file in the list. A folder that contains only one folder is joined with it. */
export interface FileNode {
  /** Relative to the space's folder. */
  readonly path: string;
  readonly name: string;
  /** Its contents in words, if known. */
  readonly label?: string;
  /** The entries of a folder. */
  readonly children?: readonly FileNode[];
  /** In bytes; the sum for a folder. */
  readonly size: number;
  /** Milliseconds since the epoch; the latest for a folder. */
  readonly modifiedMs: number;
}

interface File {
  readonly path: string;
  readonly size: number;
  readonly modifiedMs: number;
}

/** @param titleOf returns the title of a tree */
export function folderTree(files: readonly File[], titleOf: (treeId: string) => string | undefined): FileNode[] {
  return level(
    files.map((file) => ({ file, parts: partsOf(file.path) })),
    [],
    titleOf,
  );
}

interface Placed {
  readonly file: File;
  /** Its path, relative to the current level. */
  readonly parts: readonly string[];
}

function level(files: readonly Placed[], above: readonly string[], titleOf: (treeId: string) => string | undefined): FileNode[] {
  const folders = new Map<string, Placed[]>();
  const nodes: FileNode[] = [];
  for (const { file, parts } of files) {
    const [name, ...rest] = parts as [string, ...string[]];
    if (rest.length === 0) nodes.push({ name, path: file.path, size: file.size, modifiedMs: file.modifiedMs });
    else {
      const inside = folders.get(name);
      if (inside) inside.push({ file, parts: rest });
      else folders.set(name, [{ file, parts: rest }]);
    }
  }
  const made = Array.from(folders, ([name, inside]) => folderNode(name, inside, above, titleOf));
  return [...made.sort(byName), ...nodes.sort(byName)];
}

function folderNode(
  name: string,
  inside: readonly Placed[],
  above: readonly string[],
  titleOf: (treeId: string) => string | undefined,
): FileNode {
  const path = [...above, name];
  const children = level(inside, path, titleOf);
  const label = titleOf(name.replace("/", ""));
  const [only] = children;
  if (children.length === 1 && only?.children) {
    const joined = label ?? only.label;
    return { ...only, name: `${name}/${only.name}`, ...(joined === undefined ? {} : { label: joined }) };
  }
  return {
    name,
    path: path.join("/"),
    children,
    size: children.reduce((sum, child) => sum + child.size, 0),
    modifiedMs: children.reduce((latest, child) => Math.max(latest, child.modifiedMs), 0),
    ...(label === undefined ? {} : { label }),
  };
}

/** Joins the two nested folders that together form a tree's id. */
function partsOf(path: string): string[] {
  const parts = path.split("/");
  const at = parts.indexOf("ops") + 1;
  return at > 0 && at + 2 < parts.length ? parts.toSpliced(at, 2, `${parts[at]}/${parts[at + 1]}`) : parts;
}

function byName(a: FileNode, b: FileNode): number {
  return a.name < b.name ? -1 : 1;
}
