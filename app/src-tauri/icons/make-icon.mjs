// Draws icon.png after ../../public/favicon.svg: node make-icon.mjs
import { writeFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";

const SIZE = 256;
const UNITS = 32;
const BLUE = [0x4a, 0x55, 0xc9];
const WHITE = [0xff, 0xff, 0xff];
const LINES = [
  { x: 9, y: 10, length: 14, radius: 1.3 },
  { x: 13, y: 16, length: 10, radius: 1.3 },
  { x: 13, y: 22, length: 6, radius: 1.3 },
  { x: 9, y: 16, length: 0, radius: 1.5 },
  { x: 9, y: 22, length: 0, radius: 1.5 },
];

/** Distances to the edges of the shapes, negative inside, in units of the drawing. */
const toPlate = (x, y) => {
  const [dx, dy] = [Math.abs(x - UNITS / 2) - 8, Math.abs(y - UNITS / 2) - 8];
  return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) - 8;
};
const toLine = (x, y, line) => Math.hypot(x - Math.min(Math.max(x, line.x), line.x + line.length), y - line.y) - line.radius;
const coverage = (distance) => Math.min(Math.max(0.5 - (distance * SIZE) / UNITS, 0), 1);

// each row begins with the number of its filter: none
const rows = Buffer.alloc(SIZE * (1 + SIZE * 4));
for (let row = 0; row < SIZE; row++) {
  for (let column = 0; column < SIZE; column++) {
    const [x, y] = [column, row].map((pixel) => ((pixel + 0.5) * UNITS) / SIZE);
    const white = Math.max(...LINES.map((line) => coverage(toLine(x, y, line))));
    const color = BLUE.map((value, channel) => Math.round(value + (WHITE[channel] - value) * white));
    rows.set([...color, Math.round(255 * coverage(toPlate(x, y)))], row * (1 + SIZE * 4) + 1 + column * 4);
  }
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}

const header = Buffer.alloc(13);
header.writeUInt32BE(SIZE, 0);
header.writeUInt32BE(SIZE, 4);
header.set([8, 6], 8); // 8 bits for each of red, green, blue and opacity
const png = [
  Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
  chunk("IHDR", header),
  chunk("IDAT", deflateSync(rows, { level: 9 })),
  chunk("IEND", Buffer.alloc(0)),
];
writeFileSync(new URL("icon.png", import.meta.url), Buffer.concat(png));
