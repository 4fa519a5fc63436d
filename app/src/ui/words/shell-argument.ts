/** A path as one argument of a command in a POSIX shell. */
export function shellArgument(path: string): string {
  return /^[\w./:\\-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
