"""An authorization server made with Authlib, for tests: opaque and signed tokens, introspection, key rotation.

Prints its port once it listens. The first argument is a JSON object: clientId, clientSecret, keyClientId, publicKey (a JWK).
"""

import json
import sys
import time
from wsgiref.simple_server import WSGIRequestHandler, make_server

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.jose import JsonWebKey, jwt
from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from flask import Flask, jsonify, request

settings = json.loads(sys.argv[1])
app = Flask(__name__)
tokens = {}
keys = []


def rotate():
    kid = f"key-{len(tokens)}-{time.time_ns()}"
    keys[:] = [JsonWebKey.generate_key("EC", "P-256", {"kid": kid, "alg": "ES256", "use": "sig"}, is_private=True)]


class Client(ClientMixin):
    def __init__(self, client_id, methods, secret=None):
        self.client_id, self.methods, self.secret = client_id, methods, secret

    def get_client_id(self):
        return self.client_id

    def get_allowed_scope(self, scope):
        return scope if scope == settings["scope"] else ""

    def check_client_secret(self, client_secret):
        return self.secret == client_secret

    def check_endpoint_auth_method(self, method, endpoint):
        return method in self.methods

    def check_grant_type(self, grant_type):
        return grant_type == "client_credentials"


class Token(TokenMixin):
    def __init__(self, client_id, data):
        self.client_id, self.data, self.expires_at = client_id, data, int(time.time()) + data["expires_in"]

    def is_expired(self):
        return self.expires_at < time.time()

    def is_revoked(self):
        return False


clients = {
    settings["clientId"]: Client(
        settings["clientId"], ["client_secret_basic", "client_secret_post"], settings["clientSecret"]
    ),
    settings["keyClientId"]: Client(settings["keyClientId"], ["private_key_jwt"]),
}


def issuer():
    return request.host_url.rstrip("/")


def make_access_token(client, grant_type, user, scope):
    """A signed token for the API that the request names, else an opaque one."""
    audience = request.form.get("audience")
    if audience is None:
        return f"opaque-{time.time_ns()}"
    now = int(time.time())
    claims = {"iss": issuer(), "aud": audience, "sub": client.client_id, "client_id": client.client_id}
    claims |= {"scope": scope, "iat": now, "exp": now + 3600, "jti": str(time.time_ns())}
    header = {"alg": "ES256", "kid": keys[0].as_dict()["kid"], "typ": "at+jwt"}
    return jwt.encode(header, claims, keys[0]).decode()


app.config["OAUTH2_ACCESS_TOKEN_GENERATOR"] = make_access_token
app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"client_credentials": 3600}


class ClientCredentials(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]


class Assertion(JWTBearerClientAssertion):
    CLIENT_AUTH_METHOD = "private_key_jwt"

    def validate_jti(self, claims, jti):
        return True

    def resolve_client_public_key(self, client, headers):
        return JsonWebKey.import_key(settings["publicKey"])


class Introspection(IntrospectionEndpoint):
    CLIENT_AUTH_METHODS = ClientCredentials.TOKEN_ENDPOINT_AUTH_METHODS

    def query_token(self, token_string, token_type_hint):
        return tokens.get(token_string)

    def check_permission(self, token, client, request):
        return True

    def introspect_token(self, token):
        return {
            "client_id": token.client_id,
            "token_type": token.data["token_type"],
            "scope": token.data["scope"],
            "iss": issuer(),
            "exp": token.expires_at,
        }


def save_token(token, request):
    tokens[token["access_token"]] = Token(request.client.client_id, token)


server = AuthorizationServer(app, clients.get, save_token)
server.register_grant(ClientCredentials)
server.register_endpoint(Introspection)


@app.get("/.well-known/oauth-authorization-server")
def metadata():
    return jsonify(
        issuer=issuer(),
        token_endpoint=f"{issuer()}/token",
        introspection_endpoint=f"{issuer()}/introspect",
        jwks_uri=f"{issuer()}/jwks",
        token_endpoint_auth_methods_supported=ClientCredentials.TOKEN_ENDPOINT_AUTH_METHODS,
    )


@app.post("/token")
def issue_token():
    return server.create_token_response()


@app.post("/introspect")
def introspect():
    return server.create_endpoint_response("introspection")


@app.get("/jwks")
def jwks():
    return jsonify(keys=[key.as_dict(is_private=False) for key in keys])


@app.post("/rotate")
def rotate_keys():
    rotate()
    return ""


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


rotate()
with make_server("127.0.0.1", int(settings.get("port", 0)), app, handler_class=Quiet) as http:
    url = f"http://127.0.0.1:{http.server_port}"
    server.register_client_auth_method("private_key_jwt", Assertion(f"{url}/token"))
    print(http.server_port, flush=True)
    http.serve_forever()
