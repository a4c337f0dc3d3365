// Part of a page made anew: what stands in `place` is sent as a form, and of the page that comes back `target` takes
// the place of its like. Without scripts the same form is sent by a button, and the whole page comes.
const policy = window.trustedTypes?.createPolicy('app', {createHTML: text => text}) ?? {createHTML: text => text};

/** Asks for `path` with the fields of `form` and swaps `target`; whatever was asked before and is late is dropped. */
export function swapper(form, path, target) {
    let under;
    return async () => {
        under?.abort();
        under = new AbortController();
        const answer = await fetch(path, {
            method: 'POST',
            headers: {'Accept': 'text/html'},
            body: new URLSearchParams(new FormData(form)),
            signal: under.signal,
        });
        // Parsed apart from this page: no script in it runs, and nothing in it loads.
        const page = new DOMParser().parseFromString(policy.createHTML(await answer.text()), 'text/html');
        const found = page.querySelector(target);
        // Something else came, such as a page to sign in on: it is asked for as a whole, with what was chosen.
        if (!found) return Object.assign(form, {action: path}).submit();
        const old = document.querySelector(target);
        for (const chosen of old.querySelectorAll('input[type=radio]:checked[id]')) {
            const again = found.querySelector(`#${CSS.escape(chosen.id)}`);
            if (again) again.checked = true;
        }
        old.replaceWith(document.importNode(found, true));
    };
}
