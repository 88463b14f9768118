"""The application as a server sees it: the page mounted on FastAPI, its look, and what of Gradio is closed."""

from pathlib import Path

import gradio as gr
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from services.client.rest import Gateway
from services.ui import files, session
from services.ui.delivery import Delivery
from services.ui.origin import SameOrigin
from services.ui.page import Page
from services.ui.settings import Settings

#: Gradio serves these to everybody; the page has no files to take or to give.
CLOSED = ("/gradio_api/upload", "/gradio_api/file", "/gradio_api/proxy", "/gradio_api/stream", "/gradio_api/deep_link")

NOT_FOUND = PlainTextResponse("There is nothing at this address.", status_code=404)

ICON = (
    "<link rel=\"icon\" href=\"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>"
    "<g fill='%23475f9e'><circle cx='8' cy='3' r='2'/><circle cx='3' cy='11' r='2'/><circle cx='13' cy='11' r='2'/>"
    '</g></svg>">'
)

SYSTEM_FONT = ("ui-sans-serif", "system-ui", "sans-serif")
MONO_FONT = ("ui-monospace", "Consolas", "monospace")


def create_app(settings: Settings) -> FastAPI:
    """The UI, ready to be served at `/`."""
    app = FastAPI(title="Folkmoot", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Delivery, title="Folkmoot")
    app.add_middleware(Closed)
    app.add_middleware(SameOrigin)
    gateway = Gateway(settings.gateway_url)
    # Before the page, which takes every address that is left.
    app.include_router(session.routes(gateway))
    app.include_router(files.routes(gateway))
    page = Page(gateway)
    gr.mount_gradio_app(
        app,
        page.blocks,
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=_theme(),
        css=Path(__file__).with_name("style.css").read_text(encoding="utf-8"),
        head=f"{ICON}<script>{Path(__file__).with_name('page.js').read_text(encoding='utf-8')}</script>",
    )
    return app


def _theme() -> gr.themes.Base:
    """Quiet: fields without boxes around them, and the fonts that the reader's system has."""
    theme = gr.themes.Base(primary_hue="indigo", neutral_hue="slate", font=SYSTEM_FONT, font_mono=MONO_FONT)
    return theme.set(
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_border_width_dark="0px",
        block_padding="0px",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_200",
        block_title_text_weight="550",
        block_info_text_color="*neutral_500",
        block_info_text_color_dark="*neutral_400",
        body_background_fill_dark="#121723",
        checkbox_label_background_fill="transparent",
        checkbox_label_background_fill_dark="transparent",
        checkbox_label_background_fill_hover="transparent",
        checkbox_label_background_fill_hover_dark="transparent",
        checkbox_label_padding="2px 0",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_hover_dark="*primary_500",
        input_background_fill="#ffffff",
        input_background_fill_dark="#1b2231",
        input_border_width="1px",
        input_border_width_dark="1px",
        input_border_color="*neutral_300",
        input_border_color_dark="*neutral_600",
        input_border_color_focus="*primary_600",
        input_border_color_focus_dark="*primary_400",
    )


class Closed:
    """Answers 404 at the addresses of Gradio that the page does not use."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        closed = scope["type"] == "http" and scope["path"].startswith(CLOSED)
        await (NOT_FOUND if closed else self._app)(scope, receive, send)
