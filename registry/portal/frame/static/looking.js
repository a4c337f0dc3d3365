// A worker that looks at one file at a time: what it is by its first bytes, its SHA-256, a small picture of it.
// It is sent with a policy that lets it reach nothing, so what it reads goes back to the page and nowhere else.
const SIDE = 112;
const STARTS = [
    [0xff, 0xd8, 0xff], [0x89, 0x50, 0x4e, 0x47], [0x47, 0x49, 0x46, 0x38], [0x42, 0x4d],
    [0x49, 0x49, 0x2a, 0], [0x4d, 0x4d, 0, 0x2a], [0x49, 0x49, 0x2b, 0], [0x4d, 0x4d, 0, 0x2b],
];

function picture(head) {
    const text = String.fromCharCode(...head);
    if (text.startsWith('RIFF')) return text.slice(8, 12) === 'WEBP';
    if (text.slice(4, 8) === 'ftyp') return /avi[fs]/.test(text.slice(8));
    return STARTS.some(start => start.every((byte, place) => head[place] === byte));
}

// Without one a picture is as good: TIFF is opened by hardly any browser.
async function small(file) {
    try {
        const whole = await createImageBitmap(file, {resizeWidth: SIDE, resizeQuality: 'medium'});
        const canvas = new OffscreenCanvas(whole.width, whole.height);
        canvas.getContext('2d').drawImage(whole, 0, 0);
        whole.close();
        return await canvas.convertToBlob({type: 'image/webp', quality: .7});
    } catch {
        return null;
    }
}

onmessage = async ({data: file}) => {
    try {
        if (!picture(new Uint8Array(await file.slice(0, 64).arrayBuffer()))) return postMessage({state: 'kind'});
        const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
        postMessage({state: 'ready', digest, thumb: await small(file)});
    } catch {
        postMessage({state: 'gone'});
    }
};
