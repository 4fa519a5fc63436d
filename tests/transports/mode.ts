/** Whether to take the time for figures that can be relied on (`npm run test:transports -- --full`). */
export const isFull: boolean = process.env["TRANSPORTS"] === "full";
