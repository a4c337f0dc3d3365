// The page on which the log is checked: each step in words of the page, what came of all of them, and what is kept.
import {Log, check, checkHeld} from './checking.js';
import {Wrong, bytesOf} from './proving.js';

const place = document.querySelector('[data-log]');
const steps = place.querySelector('[data-steps]'), result = place.querySelector('[data-result]');
const held = document.querySelector('[data-held]');
const button = held?.querySelector('button') ?? place.querySelector('[data-again]');
const {origin, root, index, entry} = place.dataset;
const tongue = document.documentElement.lang;
const number = new Intl.NumberFormat(tongue);
const parts = new Intl.DateTimeFormat(tongue === 'en' ? 'en-US' : tongue, {
    year: 'numeric', month: tongue === 'en' ? 'short' : 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit',
    hourCycle: 'h23', timeZone: 'UTC',
});
const KEY = `licet-log ${origin}`, LARGEST = 32e6;

const kept = () => {
    try {
        return JSON.parse(localStorage.getItem(KEY)) ?? undefined;
    } catch {
        return undefined;  // a browser that keeps nothing
    }
};
const keep = found => {
    try {
        localStorage.setItem(KEY, JSON.stringify({...found, when: Date.now()}));
    } catch { /* then the next visit is a first one again */ }
};

// A moment as the pages of this language write it, in UTC.
function moment(at) {
    const of = Object.fromEntries(parts.formatToParts(new Date(at)).map(({type, value}) => [type, value]));
    return said('moment').replace(/\{(\w+)\}/g, (_, name) => of[name]);
}

const said = name => document.querySelector(`template[data-say="${name}"]`)?.content.textContent ?? name;

// A sentence of the page with values where it has names in braces; hashes and keys stand out, and can be broken.
function sentence(name, values) {
    return said(name).split(/\{(\w+)\}/).map((part, at) => {
        if (at % 2 === 0) return part;
        const value = values[part];
        if (part === 'when' || part === 'time') return moment(value);
        if (part === 'kind') return said(`kind_${value}`);
        if (typeof value === 'number') return number.format(value);
        return Object.assign(document.createElement('code'), {textContent: value});
    });
}

function add(state, name, values = {}) {
    const line = document.createElement('li');
    line.className = state;
    const mark = document.createElement('b');
    mark.textContent = said(state);
    line.append(mark, ...sentence(`${state}_${name}`, values));
    steps.append(line);
}

function conclude(state, words = state) {
    place.dataset.state = state;
    result.textContent = said(`all_${words}`);
    button.disabled = false;
}

// Two checkpoints that contradict each other are evidence: they are shown whole, to be copied.
function show(evidence = []) {
    const shown = place.querySelector('[data-evidence]');
    shown.hidden = !evidence.length;
    shown.querySelector('pre').textContent = evidence.join('\n');
}

async function run(work) {
    steps.replaceChildren();
    show();
    button.disabled = true;
    place.dataset.state = 'busy';
    result.textContent = said('all_busy');
    const log = new Log('/log/', origin, root, add);
    try {
        const found = await work(log);
        if (found) keep(found);
        conclude(log.able ? 'fine' : 'partly', log.able && log.unsigned ? 'unsigned' : undefined);
    } catch (error) {
        const {what, values, evidence} = error instanceof Wrong ? error : new Wrong('malformed');
        add(what === 'unreached' ? 'open' : 'bad', what, values);
        conclude(what === 'unreached' ? 'unreached' : 'wrong');
        show(evidence);
    }
}

const whole = () => run(log => check(log, {kept: kept(), index: index && Number(index), entry: entry && bytesOf(entry)}));

if (held) {
    const {said: field, file} = held.elements;
    button.disabled = false;
    const take = async chosen => {
        if (!chosen) return;
        field.value = chosen.size > LARGEST ? '' : await chosen.text();
        held.requestSubmit();
    };
    file.addEventListener('change', () => take(file.files[0]));
    held.addEventListener('dragover', event => event.preventDefault());
    held.addEventListener('drop', event => {
        event.preventDefault();
        take(event.dataTransfer.files[0]);
    });
    held.addEventListener('submit', event => {
        event.preventDefault();
        const text = field.value.replace(/\r\n/g, '\n');
        run(log => checkHeld(log, kept(), text));
        place.scrollIntoView({block: 'start'});
    });
} else {
    button.addEventListener('click', whole);
    whole();
}
