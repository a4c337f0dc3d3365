// Files from a choice, a folder, or what was dropped: all that is in folders too, without what is no picture there.
const looksLikePicture = file => file.type.startsWith('image/') || /\.(tiff?|avif)$/i.test(file.name);

/** The pictures of a folder, and how many other files lie beside them (those that systems hide are not counted). */
export function fromFolder(files) {
    const seen = files.filter(file => !file.name.startsWith('.') && file.name !== 'Thumbs.db');
    const pictures = seen.filter(looksLikePicture);
    return {files: pictures, others: seen.length - pictures.length};
}

async function inside(entry) {
    if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
    const reader = entry.createReader();
    const found = [];
    for (;;) {
        const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
        if (!some.length) return found;
        for (const each of some) found.push(...await inside(each));
    }
}

/** What was dropped: folders as folders, files one by one as they were meant. */
export async function fromDrop(transfer) {
    // Asked at once: after the first wait, what was dropped is gone.
    const entries = Array.from(transfer.items ?? [], item => item.webkitGetAsEntry?.()).filter(Boolean);
    if (!entries.some(entry => entry.isDirectory)) return {files: Array.from(transfer.files), others: 0};
    const all = {files: [], others: 0};
    for (const entry of entries) {
        const found = await inside(entry);
        const {files, others} = entry.isDirectory ? fromFolder(found) : {files: found, others: 0};
        all.files.push(...files);
        all.others += others;
    }
    return all;
}
