// Adding pictures: choose, look at each in a worker, say what is known already, send what is new, register it.
// Every row is kept as it goes; the page that is opened again goes on where this one stopped.
import {hex, newWork} from './coding.js';
import {shelf} from './kept.js';
import {fromDrop, fromFolder} from './picking.js';
import {Held, known, register, upload} from './sending.js';

const TOGETHER = 20;  // registered with one request
const LANES = 2;  // sent side by side
const policy = window.trustedTypes?.createPolicy('app', {createScriptURL: url => url}) ?? {createScriptURL: url => url};
const form = document.querySelector('#add');
const part = name => document.querySelector(`[data-${name}]`);
const most = Number(form.dataset.most);
const largest = Number(form.dataset.largest);
const rows = [];
const drawn = new Map();
let kept, worker, running, held, timer, told;
let open = 0;  // choices that are being looked at, or asked after

const words = name => document.querySelector(`template[data-say="${name}"]`)?.content.textContent ?? '';
// In one pass: a file may be called "{n}".
const text = (name, values = {}) => words(name).replace(/\{(\w+)\}/g, (_, key) => values[key]);
const written = (unit, digits) => new Intl.NumberFormat(
    document.documentElement.lang, {style: 'unit', unit, maximumFractionDigits: digits});
const [kilobytes, megabytes] = [written('kilobyte', 0), written('megabyte', 1)];
const size = bytes => bytes < 1e6 ? kilobytes.format(Math.ceil(bytes / 1e3)) : megabytes.format(bytes / 1e6);
const count = (...states) => rows.filter(row => states.includes(row.state)).length;
const ready = () => rows.filter(row => row.state === 'ready');
const toSign = () => rows.filter(row => row.state === 'done' || row.state === 'yours' && row.unsigned);
const mode = () => form.elements.mode.value;

function line(row) {
    const made = part('row').content.firstElementChild.cloneNode(true);
    made.querySelector('b').textContent = row.name;
    made.querySelector('button').addEventListener('click', () => off(row));
    made.querySelector('button').setAttribute('aria-label', text('off', {name: row.name}));
    made.querySelector('progress').setAttribute('aria-label', row.name);
    part('files').append(made);
    drawn.set(row, made);
    return made;
}

function draw(row) {
    const made = drawn.get(row) ?? line(row);
    const {state} = row;
    const waits = state === 'ready' && (running || held);
    const sending = state === 'sending';
    const values = {n: size(row.size), all: size(largest), name: row.same ?? row.title};
    const name = row.unsigned ? 'unsigned' : state === 'done' && row.mode === 'upload' ? 'deleted' : state;
    const met = row.met && ['done', 'yours'].includes(state);
    made.querySelector('small').textContent =
        [text(name, values), row.renamed && text('renamed', values), met && text('met')].filter(Boolean).join(' ');
    const image = made.querySelector('img');
    if (row.thumb && !image.src) image.src = URL.createObjectURL(row.thumb);
    image.hidden = !row.thumb;
    made.querySelector('i').hidden = Boolean(row.thumb);
    const verdict = made.querySelector('.may');
    verdict.textContent = text(waits ? 'is-waiting' : met ? 'is-met' : `is-${state}`) || text('is-not');
    verdict.className = `may ${state === 'done' && !met ? 'yes' : 'wait'}`;
    const bar = made.querySelector('progress');
    bar.hidden = !sending;
    bar.max = row.size || 1;
    bar.value = row.moved || 0;
    const link = made.querySelector('a');
    link.hidden = !row.existing;
    if (row.existing) link.href = `${form.dataset.works}/${row.existing}`;
    made.querySelector('button').hidden = Boolean(running) || ['sending', 'sent', 'done'].includes(state);
}

function phase() {
    if (held) return held;
    if (running) return 'sending';
    if (open) return 'looking';
    if (ready().length) return 'ready';
    return toSign().length ? 'finished' : rows.length ? 'nothing' : 'none';
}

// The line that is read aloud changes with the phase alone; the count beside the bar with every picture.
function refresh() {
    const now = phase();
    const done = count('done');
    const all = done + count('ready', 'sending', 'sent');
    const looking = now === 'looking';
    const values = {
        n: looking ? rows.length - count('looking') : now === 'ready' ? ready().length : toSign().length,
        all: looking ? rows.length : all,
    };
    part('list').hidden = !rows.length;
    if (now !== told && now !== 'none') part('phase').textContent = text(`phase-${now}`, {n: values.n, all: values.all});
    told = now;
    const moving = looking || running || Boolean(held);
    part('moving').hidden = !moving;
    part('count').textContent = text('count', {n: looking ? values.n : done, all: values.all});
    part('bar').max = values.all || 1;
    part('bar').value = looking ? values.n : done;
    part('start').hidden = now !== 'ready';
    part('start').textContent = text('start', {n: ready().length});
    part('again').hidden = !held || held === 'signin';
    part('signin').hidden = held !== 'signin';
    part('ways').disabled = Boolean(running || held);
    const sign = part('sign');
    sign.hidden = !toSign().length || Boolean(running);
    const button = sign.querySelector('button');
    button.textContent = text('sign', {n: toSign().length});
    button.classList.toggle('plain', now !== 'finished');
}

function show(row, changes = {}) {
    Object.assign(row, changes);
    draw(row);
    refresh();
    // Only what has a digest and may still change is worth keeping.
    if (row.sha && ['ready', 'sent', 'done'].includes(row.state)) {
        const {sha, name, title, size, thumb, work, state, iscc, mode, renamed, met} = row;
        return kept.keep({sha, name, title, size, thumb, work, state, iscc, mode, renamed, met});
    }
    return undefined;
}

function off(row) {
    const at = rows.indexOf(row);
    const next = drawn.get(rows[at + 1] ?? rows[at - 1])?.querySelector('button');
    rows.splice(at, 1);
    drawn.get(row).remove();
    drawn.delete(row);
    // Another of the same file stays kept.
    if (row.sha && !rows.some(other => other.sha === row.sha)) kept.drop(row.sha);
    refresh();
    (next && !next.hidden ? next : part('phase')).focus();
}

const look = file => new Promise(resolve => {
    worker.onmessage = ({data}) => resolve(data);
    worker.onerror = () => resolve({state: 'gone'});
    worker.postMessage(file);
});

function titled(row) {
    const plain = row.name.replace(/\.[^.]+$/, '') || row.name;
    const taken = new Set(rows.filter(other => other !== row && other.sha).map(other => other.title));
    let title = plain;
    for (let number = 2; taken.has(title); number++) title = `${plain} (${number})`;
    return {title, renamed: title !== plain};
}

let looks = Promise.resolve();
/** Takes files in, as many as there is room for; they are looked at one after the other. */
function take({files, others}) {
    const room = Math.max(0, most - count('looking', 'ready', 'sending', 'sent', 'done'));
    const notes = [];
    if (files.length > room) notes.push(text('too-many', {n: files.length, all: most, more: files.length - room}));
    if (others) notes.push(text('others', {n: others}));
    part('notes').hidden = !notes.length;
    part('notes').textContent = notes.join(' ');
    const added = files.slice(0, room).map(file => ({name: file.name, title: file.name, size: file.size, file}));
    open += 1;
    for (const row of added) {
        rows.push(row);
        show(row, {state: !row.size ? 'empty' : row.size > largest ? 'large' : 'looking'});
    }
    part('phase').scrollIntoView({block: 'nearest'});
    looks = looks.then(() => looked(added.filter(row => row.state === 'looking')));
}

async function looked(added) {
    let saving;
    for (const row of added) {
        if (!rows.includes(row)) continue;
        const {file} = row;
        const {state, digest, thumb} = await look(file);
        delete row.file;
        if (!rows.includes(row)) continue;
        if (state !== 'ready') {
            show(row, {state});
            continue;
        }
        const sha = hex(digest);
        const first = rows.find(other => other !== row && other.sha === sha);
        row.thumb = thumb;
        if (first) {
            // Chosen again after its file was lost here: now it can be sent.
            saving = kept.keepFile(sha, file);
            if (first.state === 'gone') show(first, {state: 'ready'});
            show(row, {state: 'same', same: first.title});
            continue;
        }
        row.sha = sha;
        // Kept while the next is looked at, one at a time.
        await saving;
        saving = Promise.all(
            [kept.keepFile(sha, file), show(row, {state: 'ready', work: newWork(), ...titled(row)})]);
    }
    await saving;
    await ask(added.filter(row => row.state === 'ready'));
    open -= 1;
    refresh();
}

// What is registered already needs no sending; without an answer, registering says the same later.
async function ask(some) {
    if (!some.length) return;
    try {
        const works = await known({sha256: some.map(row => row.sha)});
        for (const row of some) {
            const found = works.find(work => [work, ...work.files].some(file => file.sha256 === row.sha));
            if (found?.work === row.work) done(row, found);
            else if (found) already(row, found.work, found.state === 'unsigned', found);
        }
    } catch (error) {
        if (!(error instanceof Held)) throw error;
    }
}

// `similar`: pictures like it that others have registered. Until that is settled nobody may use it.
function done(row, {similar}) {
    kept.sent(row.sha);
    show(row, {state: 'done', met: similar.length > 0});
}

function already(row, existing, unsigned, {title, similar}) {
    kept.drop(row.sha);
    show(row, {state: 'yours', existing, unsigned, same: title || row.title, met: similar.length > 0});
}

async function lane() {
    for (let row; !held && (row = ready()[0]);) {
        show(row, {state: 'sending', moved: 0});
        try {
            const file = await kept.file(row.sha);
            // Kept no more, or changed on the disk since: it has to be chosen again.
            if (!file || !await readable(file)) {
                show(row, {state: 'gone'});
                continue;
            }
            const made = await upload(row.sha, file, moved => draw(Object.assign(row, {moved})));
            await show(row, {state: 'sent', iscc: made.iscc ?? null});
        } catch (error) {
            if (error instanceof Held) {
                row.state = 'ready';
                held = error.why;
                later(error.seconds);
            } else {
                kept.drop(row.sha);
                show(row, {state: error.status === 413 ? 'large' : error.status === 400 ? 'bad' : 'refused'});
            }
        }
        if (count('sent') >= TOGETHER) await registered();
    }
}

const readable = file => file.slice(0, 1).arrayBuffer().then(() => true, () => false);

// One request at a time; what it is about is `sent` until the answer is here, in whichever tab.
let registering = Promise.resolve();
function registered() {
    registering = registering.then(async () => {
        const some = rows.filter(row => row.state === 'sent');
        if (!some.length) return;
        const outcomes = await register(some, mode());
        some.forEach((row, place) => {
            const {status, reason = '', existing, signed} = outcomes[place];
            if (status === 'registered') done(row, outcomes[place]);
            else if (status === 'duplicate') already(row, existing, !signed, outcomes[place]);
            // More than a day lay between: it is sent once more. Or its name is taken, by what was withdrawn.
            else if (!row.again && /^(no-upload|id-taken|withdrawn)/.test(reason)) {
                show(row, {state: 'ready', work: newWork(), again: true});
            } else show(row, {state: 'refused'});
        });
    });
    const answer = registering;
    registering = registering.catch(() => {});
    return answer;
}

async function run() {
    if (running) return;
    clearTimeout(timer);
    held = undefined;
    running = true;
    for (const row of ready()) show(row, {mode: mode()});
    try {
        if (mode() === 'upload') await Promise.all(Array.from({length: LANES}, lane));
        else for (const row of ready()) row.state = 'sent';
        if (!held) await registered();
    } catch (error) {
        held = error instanceof Held ? error.why : 'busy';
        later(error.seconds ?? 20);
        if (mode() !== 'upload') for (const row of rows) if (row.state === 'sent') row.state = 'ready';
    }
    running = false;
    rows.forEach(draw);
    // Sent anew is what was sent more than a day ago.
    if (!held && ready().some(row => row.mode)) return run();
    refresh();
    return undefined;
}

function later(seconds) {
    clearTimeout(timer);
    if (held !== 'signin') timer = setTimeout(run, seconds * 1000);
}

async function back() {
    for (const row of await kept.rows()) {
        rows.push(row);
        draw(row);
    }
    await ask(ready());
    // What has been signed since is not in the list any more.
    const added = rows.filter(row => row.state === 'done');
    if (added.length) {
        try {
            const open = await known({works: added.map(row => row.work)});
            const unsigned = new Map(open.filter(work => work.state === 'unsigned').map(work => [work.work, work]));
            for (const row of added) {
                if (unsigned.has(row.work)) done(row, unsigned.get(row.work));
                else off(row);
            }
        } catch (error) {
            if (!(error instanceof Held)) throw error;
        }
    }
    refresh();
    const begun = rows.filter(row => row.mode && ['ready', 'sent'].includes(row.state));
    if (!begun.length) return;
    // Of two tabs with two modes the one counts that keeps files here: nothing is sent that was meant to stay.
    form.elements.mode.value = (begun.find(row => row.mode !== 'upload') ?? begun[0]).mode;
    await run();
}

async function begin() {
    kept = await shelf(form.dataset.account);
    worker = new Worker(policy.createScriptURL(form.dataset.worker));
    for (const each of document.querySelectorAll('[data-scripted]')) each.hidden = false;
    for (const each of document.querySelectorAll('[data-plain]')) each.hidden = true;
    const [pictures, folder] = [form.elements.picture, part('folder')];
    folder.closest('.field').hidden = !('webkitdirectory' in folder);
    pictures.addEventListener('change', () => {
        take({files: Array.from(pictures.files), others: 0});
        pictures.value = '';
    });
    folder.addEventListener('change', () => {
        take(fromFolder(Array.from(folder.files)));
        folder.value = '';
    });
    form.addEventListener('submit', event => event.preventDefault());
    const over = event => {
        event.preventDefault();
        part('drop').classList.toggle('over', event.type === 'dragover');
    };
    for (const name of ['dragover', 'dragleave', 'drop']) document.addEventListener(name, over);
    document.addEventListener('drop', async event => take(await fromDrop(event.dataTransfer)));
    for (const name of ['start', 'again']) {
        part(name).addEventListener('click', () => {
            run();
            part('phase').focus();  // the button is gone
        });
    }
    window.addEventListener('online', () => held === 'offline' && run());
    part('sign').addEventListener('submit', () => {
        part('works-to-sign').replaceChildren(...toSign().map(row => Object.assign(
            document.createElement('input'), {type: 'hidden', name: 'w', value: row.existing ?? row.work})));
    });
    await back();
}

// Without these the plain form stays, which needs nothing of a browser.
if (window.Worker && window.crypto?.subtle) begin();
