/** A file in an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly text: string;
}

const LOCAL_HEADER = 0x04_03_4b_50;
const CENTRAL_HEADER = 0x02_01_4b_50;
const END = 0x06_05_4b_50;
/** Version 2.0 of the format. */
const VERSION = 20;
/** Names are in UTF-8. */
const UTF8 = 0x08_00;
/** January 1, 1980, the first date of the format: equal files make equal archives. */
const DATE = 0x00_21;

/**
 * Packs text files into a ZIP archive, without compression.
 * @param entries fewer than 65,536 of them, as the plain format has no larger number
 */
export function zip(entries: readonly ZipEntry[]): Blob {
  const files: Uint8Array<ArrayBuffer>[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for (const { name, text } of entries) {
    const [nameBytes, bytes] = [new TextEncoder().encode(name), new TextEncoder().encode(text)];
    const crc = crc32(bytes);
    const common = [
      2,
      VERSION,
      2,
      UTF8,
      2,
      0,
      2,
      0,
      2,
      DATE,
      4,
      crc,
      4,
      bytes.length,
      4,
      bytes.length,
      2,
      nameBytes.length,
      2,
      0,
    ];
    const header = fields(4, LOCAL_HEADER, ...common);
    files.push(header, nameBytes, bytes);
    directory.push(fields(4, CENTRAL_HEADER, 2, VERSION, ...common, 2, 0, 2, 0, 2, 0, 4, 0, 4, offset), nameBytes);
    offset += header.length + nameBytes.length + bytes.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = fields(4, END, 2, 0, 2, 0, 2, entries.length, 2, entries.length, 4, size, 4, offset, 2, 0);
  return new Blob([...files, ...directory, end], { type: "application/zip" });
}

/** Little-endian numbers. @param pairs the size of each in bytes, and its value */
function fields(...pairs: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (let at = 0; at < pairs.length; at += 2)
    for (let byte = 0; byte < pairs[at]!; byte++) bytes.push((pairs[at + 1]! >>> (8 * byte)) & 0xff);
  return Uint8Array.from(bytes);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xed_b8_83_20 : value >>> 1;
  return value;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xff_ff_ff_ff;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 0xff]!;
  return (crc ^ 0xff_ff_ff_ff) >>> 0;
}
