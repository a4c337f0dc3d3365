// What was chosen, kept in this browser until it is registered: a closed tab and a lost connection lose nothing.
// Where a browser keeps nothing (or has no room), the list lives as long as the page.
const wanted = request => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
});

/** Opens the list of one account: rows by the digest of their file, and the files that are still to be sent. */
export async function shelf(account) {
    let base;
    try {
        const opening = indexedDB.open(`licet-adding-${account}`, 1);
        opening.onupgradeneeded = () => {
            opening.result.createObjectStore('rows', {keyPath: 'sha'});
            opening.result.createObjectStore('files');
        };
        base = await wanted(opening);
    } catch {
        base = null;
    }
    const held = new Map();
    const within = async (name, mode, work) => {
        try {
            return await wanted(work(base.transaction(name, mode, {durability: 'relaxed'}).objectStore(name)));
        } catch {
            return undefined;
        }
    };
    return {
        rows: async () => await within('rows', 'readonly', store => store.getAll()) ?? [],
        keep: row => within('rows', 'readwrite', store => store.put(row)),
        file: async sha => held.get(sha) ?? await within('files', 'readonly', store => store.get(sha)),
        keepFile(sha, file) {
            held.set(sha, file);
            return within('files', 'readwrite', store => store.put(file, sha));
        },
        sent(sha) {
            held.delete(sha);
            return within('files', 'readwrite', store => store.delete(sha));
        },
        drop(sha) {
            return Promise.all([this.sent(sha), within('rows', 'readwrite', store => store.delete(sha))]);
        },
    };
}
