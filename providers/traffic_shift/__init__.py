"""TrafficShift: moves a Lambda alias to a version by CodeDeploy, and waits for the end."""
