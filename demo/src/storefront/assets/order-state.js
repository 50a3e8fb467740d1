const lookAgainMs = 3_000

/**
 * `<order-state waiting>` polls its page until the order is complete, then replaces its content with that of the page.
 * The rest of the page does not change. Without script, the whole page reloads.
 */
class OrderState extends HTMLElement {
  #timer

  connectedCallback() {
    if (this.hasAttribute('waiting')) this.#timer = setTimeout(() => this.#lookAgain(), lookAgainMs)
  }

  disconnectedCallback() {
    clearTimeout(this.#timer)
  }

  async #lookAgain() {
    const now = await this.#fetch().catch(() => null)
    if (now !== null && !now.hasAttribute('waiting')) {
      this.removeAttribute('waiting')
      this.replaceChildren(...now.childNodes)
    } else if (this.isConnected) this.connectedCallback()
  }

  async #fetch() {
    const answer = await fetch(location.href)
    return new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('order-state')
  }
}

customElements.define('order-state', OrderState)
