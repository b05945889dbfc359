"""Glidepath: a safe road to production for a SageMaker model.

Source → Build → Train → DeployDev → TestDev → Approve → DeployProd

Stack `delivery` is the pipeline; every other stack is an environment that a release travels to.
"""

import pulumi

from contracts.names import DELIVERY
from settings import Settings, load


def delivery(settings: Settings) -> None:
    """The pipeline and all it works with."""
    from components.stage import HasStage, Together
    from wiring.delivery import DeliveryStack, make_source, make_storage

    *before, production = settings.names.environments

    storage = make_storage(settings)
    source = make_source(settings)
    stack = DeliveryStack(settings, storage, source)
    build = stack.build()
    train = stack.train()
    road: list[HasStage] = [source, build, train]
    for env in before:
        test = stack.test(env)
        # What production will be asked to approve is planned while the environment before it is tested.
        planned = (stack.plan(production, deployed_in=env),) if env == before[-1] else ()
        road += [stack.deploy(env), Together(test, planned) if planned else test]
    if not before:
        road += [stack.plan(production)]
    last = stack.deploy(production, approved=True)
    road += [stack.approve(planned_for=production), last]
    pipeline = stack.pipeline(road)
    stack.trigger()
    stack.retrain()
    stack.outcome(last)
    if settings.notebook:
        stack.notebook()
    if settings.ci:
        stack.ci(settings.ci)

    pulumi.export("pipelineName", pipeline.name)
    pulumi.export("dataBucket", storage.data)
    pulumi.export("artifactsBucket", storage.artifacts)
    pulumi.export("stateMachineArn", train.state_machine_arn)


def environment(settings: Settings) -> None:
    """The foundation, and the release it serves."""
    from wiring.environment import EnvironmentStack

    stack = EnvironmentStack(settings)
    release = stack.release()

    foundation = stack.foundation()
    pulumi.export("captureBucket", foundation.capture_bucket)
    pulumi.export("topicArn", foundation.topic_arn)
    stack.announce(foundation)
    if release is None:
        return

    variants = stack.variants(release)
    endpoint = stack.endpoint(variants, foundation)
    serve = stack.serve(release, variants, foundation, endpoint)
    health = stack.health(release, variants, foundation, endpoint, serve)
    judge = stack.judge(foundation)
    shift = stack.shift(release, variants, foundation, endpoint, serve, health, judge)
    recorded = stack.pointer(release, shift)
    stack.monitor(release, foundation, endpoint, health, recorded)
    stack.probe(release, foundation, serve, recorded)

    pulumi.export("apiUrl", serve.url)
    pulumi.export("endpoint", endpoint.name)
    pulumi.export("release", release.release.id)
    pulumi.export("manifest", release.manifest)
    pulumi.export("manifestSha256", release.sha256)
    pulumi.export("version", shift.traffic.version)


settings = load()
if settings.stack == DELIVERY:
    delivery(settings)
else:
    environment(settings)
