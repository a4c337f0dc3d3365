// How the registry writes bytes: hexadecimal digits, and letters and digits that are not mistaken for each other.
export const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz';

export const hex = buffer => Array.from(new Uint8Array(buffer), each => each.toString(16).padStart(2, '0')).join('');

/** A fresh identifier of a work: 48 bits of milliseconds, then chance (UUIDv7), as `licet.identifiers` writes it. */
export function newWork() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    let now = Date.now();
    for (let place = 5; place >= 0; place--, now = Math.floor(now / 256)) bytes[place] = now % 256;
    bytes[6] = 0x70 | bytes[6] & 0x0f;
    bytes[8] = 0x80 | bytes[8] & 0x3f;
    let number = BigInt(`0x${hex(bytes)}`);
    let text = '';
    for (let place = 0; place < 26; place++, number >>= 5n) text = LETTERS[Number(number & 31n)] + text;
    return `wrk_${text}`;
}
