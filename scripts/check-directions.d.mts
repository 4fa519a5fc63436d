export function readDirections(text: string): Map<string, Set<string>>;
export function findViolations(directions: Map<string, Set<string>>, file: string, source: string): string[];
